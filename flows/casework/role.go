package casework

// Act is something a member of staff may want to do.
type Act string

// The acts of the desk and of the command line.
const (
	ActBoard         Act = "board"          // numbers without personal data
	ActQueue         Act = "queue"          // the list of open cases
	ActOpen          Act = "open"           // read one case with its timeline
	ActReveal        Act = "reveal"         // show a masked field, with a purpose
	ActSearch        Act = "search"         // by code, phone, passport, NIK
	ActClaim         Act = "claim"          // Next, claim, renew, release
	ActTakeOver      Act = "take_over"      // end somebody else's lease
	ActCall          Act = "call"           // start an attempt that the gate allows
	ActOverrideCall  Act = "override_call"  // against the gate, with a reason
	ActOutcome       Act = "outcome"        // end an attempt, schedule the next
	ActReply         Act = "reply"          // write to the person
	ActForceSend     Act = "force_send"     // send a held row against the gate, with a reason
	ActNote          Act = "note"           // internal note
	ActAnswer        Act = "answer"         // enter or correct an answer
	ActStage         Act = "stage"          // set a milestone
	ActClass         Act = "class"          // change the class, with a reason
	ActConfirmSafety Act = "confirm_safety" // lower danger or watched after a check
	ActClose         Act = "close"          // close and reopen
	ActRescue        Act = "rescue"         // start the rescue packet and print its sheet
	ActNewCase       Act = "new_case"       // a walk-in or a phone call
	ActLinkCases     Act = "link_cases"     // make one of two cases of the same person, and part them again
	ActHandover      Act = "handover"       // propose, accept or return a hand-over to another mission
	ActErase         Act = "erase"          // ask to erase a case, confirm what another one asks
	ActHold          Act = "hold"           // put a case under a legal hold, and lift it
	ActBroadcast     Act = "broadcast"      // write to many, confirm what another one wrote, stop it
	ActLetters       Act = "letters"        // read held rows and dead letters, try one again
	ActAsides        Act = "asides"         // read updates that were put aside
	ActDismissAside  Act = "dismiss_aside"  // and remove one
	ActChannels      Act = "channels"       // state of the channels
	ActNumber        Act = "number"         // link and unlink a line's number
	ActStaff         Act = "staff"          // accounts, roles, links, sessions
	ActSettings      Act = "settings"       // targets, windows, retention
	ActAudit         Act = "audit"          // the audit log
	ActExport        Act = "export"         // case data as a file
	ActAllowExport   Act = "allow_export"   // allow or refuse the file that another one asks for
	ActAccount       Act = "account"        // one's own password, language, sign-out
)

// Acts lists every Act, in the order of a table.
var Acts = []Act{
	ActBoard, ActQueue, ActOpen, ActReveal, ActSearch, ActClaim, ActTakeOver, ActCall, ActOverrideCall, ActOutcome,
	ActReply, ActForceSend, ActNote, ActAnswer, ActStage, ActClass, ActConfirmSafety, ActClose, ActRescue, ActNewCase,
	ActLinkCases, ActHandover, ActErase, ActHold, ActBroadcast, ActLetters, ActAsides, ActDismissAside, ActChannels, ActNumber, ActStaff, ActSettings, ActAudit, ActExport, ActAllowExport, ActAccount,
}

// Roles lists every Role.
var Roles = []Role{RoleViewer, RoleOfficer, RoleSupervisor, RoleAdmin, RoleAuditor}

// may is the one table of who may do what. What is not in it is not allowed.
var may = func() map[Role]map[Act]bool {
	everybody := []Act{ActAccount}
	board := append([]Act{ActBoard}, everybody...)
	officer := append([]Act{
		ActQueue, ActOpen, ActReveal, ActSearch, ActClaim, ActCall, ActOutcome, ActReply, ActNote, ActAnswer, ActStage,
		ActClass, ActConfirmSafety, ActClose, ActRescue, ActNewCase, ActLinkCases, ActHandover, ActLetters, ActAsides, ActChannels,
	}, board...)
	supervisor := append([]Act{ActTakeOver, ActOverrideCall, ActForceSend, ActDismissAside, ActExport, ActAllowExport, ActErase, ActHold, ActBroadcast}, officer...)
	// An admin keeps the accounts and sees no case; an auditor sees what was done and by whom, never a case.
	// An admin may be the second person of an erasure, which shows a code and a reason, and of an export, which shows a
	// kind and a reason; and may write a broadcast, or confirm one: it shows how many people it reaches, and none of them.
	admin := append([]Act{ActErase, ActAllowExport, ActBroadcast, ActStaff, ActSettings, ActChannels, ActNumber}, board...)
	auditor := append([]Act{ActAudit}, everybody...)

	table := map[Role]map[Act]bool{}
	for role, acts := range map[Role][]Act{
		RoleViewer: board, RoleOfficer: officer, RoleSupervisor: supervisor, RoleAdmin: admin, RoleAuditor: auditor,
	} {
		table[role] = map[Act]bool{}
		for _, a := range acts {
			table[role][a] = true
		}
	}
	return table
}()

// May reports whether a role may do an act. An unknown role or act may not.
func May(role Role, act Act) bool { return may[role][act] }

// ValidRole reports whether r is one of Roles.
func ValidRole(r Role) bool { return may[r] != nil }
