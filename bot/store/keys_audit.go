package store

// Keys of the audit log of a line, or of the staff area (StaffLine).

// keyAudit is a LIST of sealed audit rows, oldest first, each kept for KeepAudit. Every script that does
// something worth a row appends it here, so that there is no act without its row.
func keyAudit(line string) string { return "{" + line + "}:audit" }

// keyAuditChain is a LIST of the rows' links, one for each row that SealAudit has come to: an HMAC over the row, its
// number and the link before it.
func keyAuditChain(line string) string { return "{" + line + "}:audit:chain" }

// keyAuditBegins is a STRING: which rows ShortenAudit cut off, a sealed auditBegin (JSON); associated data: key name,
// "audit". None as long as the log begins with its first row.
func keyAuditBegins(line string) string { return "{" + line + "}:audit:begins" }

// keyAuditLease is a STRING for as long as one process chains rows: its token.
func keyAuditLease(line string) string { return "{" + line + "}:audit:lease" }
