package desk

// Role is what a member of staff may do; the table of routes and roles stands in this file.
type Role string

// The roles.
const (
	RoleViewer     Role = "viewer"
	RoleOfficer    Role = "officer"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
	RoleAuditor    Role = "auditor"
)
