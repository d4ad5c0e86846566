package casework

import "testing"

// Who may do what, act by act: v viewer, o officer, s supervisor, a admin, u auditor. A new act without a line here
// fails, and so does a line without an act.
func TestMay(t *testing.T) {
	table := map[Act]string{
		ActBoard: "vosa", ActQueue: "os", ActOpen: "os", ActReveal: "os", ActSearch: "os", ActClaim: "os", ActTakeOver: "s",
		ActCall: "os", ActOverrideCall: "s", ActOutcome: "os", ActReply: "os", ActForceSend: "s", ActNote: "os",
		ActAnswer: "os", ActStage: "os", ActClass: "os", ActConfirmSafety: "os", ActClose: "os", ActRescue: "os", ActNewCase: "os", ActHandover: "os", ActErase: "sa", ActHold: "s", ActBroadcast: "sa",
		ActLetters: "os", ActAsides: "os", ActDismissAside: "s", ActChannels: "osa", ActNumber: "a", ActLinkCases: "os", ActStaff: "a", ActSettings: "a",
		ActAudit: "u", ActExport: "s", ActAllowExport: "sa", ActAccount: "vosau",
	}
	letters := map[Role]rune{RoleViewer: 'v', RoleOfficer: 'o', RoleSupervisor: 's', RoleAdmin: 'a', RoleAuditor: 'u'}
	if len(letters) != len(Roles) || len(table) != len(Acts) {
		t.Fatalf("%d roles and %d acts are tested, %d and %d exist", len(letters), len(table), len(Roles), len(Acts))
	}
	for _, act := range Acts {
		who, ok := table[act]
		if !ok {
			t.Errorf("act %s has no line", act)
		}
		for _, role := range Roles {
			want := false
			for _, l := range who {
				want = want || l == letters[role]
			}
			if May(role, act) != want {
				t.Errorf("May(%s, %s) = %v", role, act, !want)
			}
		}
	}
	for _, role := range []Role{"", "root", "Officer"} {
		for _, act := range Acts {
			if May(role, act) {
				t.Errorf("unknown role %q may %s", role, act)
			}
		}
		if ValidRole(role) {
			t.Errorf("role %q is valid", role)
		}
	}
	for _, role := range Roles {
		if May(role, "") || May(role, "fly") {
			t.Errorf("%s may do an unknown act", role)
		}
	}
}
