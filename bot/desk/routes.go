package desk

import (
	"net/http"

	"pulang/flows/casework"
)

// open marks the few routes that nobody needs to be signed in for.
const open casework.Act = "-"

// route is one address of the desk with the act that a role must be allowed.
type route struct {
	method, path string
	act          casework.Act
	handle       func(*request) error
}

func (rt route) pattern() string { return rt.method + " " + rt.path }

// allows reports whether a role may use the route. A route without an act is for nobody.
func (rt route) allows(r casework.Role) bool {
	return rt.act == open || rt.act != "" && casework.May(r, rt.act)
}

// ofMission reports whether the route is about one mission's cases, people or channels: whoever works for none here has
// nothing to do there, and its handler finds a mission.
func (rt route) ofMission() bool {
	switch rt.act {
	case open, casework.ActAccount, casework.ActStaff, casework.ActSettings, casework.ActAudit:
		return false
	}
	return true
}

// table is every address of the desk. What is not here does not exist; a test walks it with every role.
func (d *Desk) table() []route {
	return []route{
		{"GET", "/static/{file}", open, static},
		{"GET", "/signin", open, signInForm},
		{"POST", "/signin", open, signIn},
		{"GET", "/signin/code", open, codeForm},
		{"POST", "/signin/code", open, signInCode},
		{"GET", "/signin/factor", open, factorForm},
		{"POST", "/signin/factor", open, setFactor},
		{"GET", "/welcome", open, welcomeForm},
		{"POST", "/welcome", open, welcome},

		{"GET", "/{$}", casework.ActAccount, home},
		{"POST", "/signout", casework.ActAccount, signOut},
		{"POST", "/stay", casework.ActAccount, stay},
		{"POST", "/lang", casework.ActAccount, setLang},
		{"POST", "/mission", casework.ActAccount, setMission},
		{"GET", "/account", casework.ActAccount, accountForm},
		{"POST", "/account/password", casework.ActAccount, setPassword},

		{"GET", "/live", casework.ActBoard, liveStream},
		{"GET", "/board", casework.ActBoard, board},

		{"GET", "/queue", casework.ActQueue, queue},
		{"GET", "/mine", casework.ActQueue, mine},
		{"GET", "/scheduled", casework.ActQueue, scheduled},
		{"GET", "/registered", casework.ActQueue, registered},
		{"POST", "/find", casework.ActSearch, find},
		{"POST", "/next", casework.ActClaim, next},
		{"POST", "/mine/release", casework.ActClaim, releaseAll},
		{"POST", "/mine/give", casework.ActClaim, giveAll},
		{"GET", "/new", casework.ActNewCase, newCaseForm},
		{"POST", "/new", casework.ActNewCase, newCase},

		{"GET", "/id/{line}/{id}", casework.ActOpen, caseByID},
		{"GET", "/case/{code}", casework.ActOpen, openCase},
		{"GET", "/case/{code}/print", casework.ActOpen, printCase},
		{"POST", "/case/{code}/seen", casework.ActOpen, seenCase},
		{"POST", "/case/{code}/media", casework.ActReveal, media},
		{"POST", "/case/{code}/reveal", casework.ActReveal, reveal},
		{"POST", "/case/{code}/claim", casework.ActClaim, claim},
		{"POST", "/case/{code}/release", casework.ActClaim, release},
		{"POST", "/case/{code}/takeover", casework.ActTakeOver, takeOver},
		{"POST", "/case/{code}/call", casework.ActCall, startCall},
		{"POST", "/case/{code}/outcome", casework.ActOutcome, endCall},
		{"POST", "/case/{code}/later", casework.ActOutcome, later},
		{"POST", "/case/{code}/reply", casework.ActReply, reply},
		{"POST", "/case/{code}/note", casework.ActNote, note},
		{"POST", "/case/{code}/answer", casework.ActAnswer, answer},
		{"POST", "/case/{code}/class", casework.ActClass, setClass},
		{"POST", "/case/{code}/safety", casework.ActConfirmSafety, setSafety},
		{"POST", "/case/{code}/signal", casework.ActNote, signalDone},
		{"POST", "/case/{code}/stage", casework.ActStage, setStage},
		{"POST", "/case/{code}/rescue", casework.ActRescue, startRescue},
		{"POST", "/case/{code}/rescue/end", casework.ActRescue, endRescue},
		{"POST", "/case/{code}/rescue/sheet", casework.ActRescue, rescueSheet},
		{"POST", "/case/{code}/link", casework.ActLinkCases, linkCases},
		{"POST", "/case/{code}/part", casework.ActLinkCases, partCases},
		{"POST", "/case/{code}/close", casework.ActClose, closeCase},
		{"POST", "/case/{code}/reopen", casework.ActClose, reopenCase},
		{"POST", "/case/{code}/hold", casework.ActHold, holdCase},
		{"POST", "/case/{code}/hold/lift", casework.ActHold, liftHold},
		{"POST", "/case/{code}/send", casework.ActForceSend, sendHeld},

		{"POST", "/case/{code}/offer", casework.ActHandover, offerCase},
		{"POST", "/case/{code}/offer/withdraw", casework.ActHandover, withdrawOffer},
		{"GET", "/offers", casework.ActHandover, offers},
		{"GET", "/offers/{code}", casework.ActHandover, openOffer},
		{"POST", "/offers/{code}/accept", casework.ActHandover, acceptOffer},
		{"POST", "/offers/{code}/return", casework.ActHandover, returnOffer},

		{"GET", "/erasures", casework.ActErase, erasures},
		{"POST", "/erasures", casework.ActErase, askErase},
		{"POST", "/erasures/{code}/confirm", casework.ActErase, confirmErase},
		{"POST", "/erasures/{code}/withdraw", casework.ActErase, withdrawErase},

		{"GET", "/exports", casework.ActAllowExport, exports},
		{"POST", "/exports", casework.ActExport, askExport},
		{"POST", "/exports/{id}/approve", casework.ActAllowExport, approveExport},
		{"POST", "/exports/{id}/refuse", casework.ActAllowExport, refuseExport},
		{"POST", "/exports/{id}/withdraw", casework.ActExport, withdrawExport},
		{"GET", "/broadcasts", casework.ActBroadcast, broadcasts},
		{"POST", "/broadcasts", casework.ActBroadcast, writeBroadcast},
		{"POST", "/broadcasts/{id}/confirm", casework.ActBroadcast, confirmBroadcast},
		{"POST", "/broadcasts/{id}/stop", casework.ActBroadcast, stopBroadcast},

		{"GET", "/letters", casework.ActLetters, letters},
		{"POST", "/letters/{row}/retry", casework.ActLetters, retryLetter},
		{"GET", "/asides", casework.ActAsides, asides},
		{"POST", "/asides/{id}/raw", casework.ActDismissAside, asideRaw},
		{"POST", "/asides/{id}/dismiss", casework.ActDismissAside, dismissAside},

		{"GET", "/channels", casework.ActChannels, channels},
		{"POST", "/channels/link", casework.ActNumber, linkNumber},
		{"POST", "/channels/unlink", casework.ActNumber, unlinkNumber},
		{"POST", "/channels/stop", casework.ActNumber, stopNumber},
		{"GET", "/staff", casework.ActStaff, staff},
		{"POST", "/staff", casework.ActStaff, addStaff},
		{"POST", "/staff/{name}/role", casework.ActStaff, setRole},
		{"POST", "/staff/{name}/link", casework.ActStaff, newStaffLink},
		{"POST", "/staff/{name}/enabled", casework.ActStaff, setEnabled},
		{"POST", "/staff/{name}/signout", casework.ActStaff, endStaffSessions},
		{"POST", "/staff/{name}/factor", casework.ActStaff, askFactorReset},
		{"POST", "/staff/{name}/factor/confirm", casework.ActStaff, confirmFactorReset},
		{"POST", "/staff/{name}/factor/withdraw", casework.ActStaff, withdrawFactorReset},
		{"GET", "/upkeep", casework.ActSettings, upkeep},
		{"GET", "/audit", casework.ActAudit, auditLog},
	}
}

// mount makes the handler: headers on everything, cross-site requests refused before anything is read, then the
// session, then the route's own guard.
func (d *Desk) mount() http.Handler {
	mux := http.NewServeMux()
	d.routes = d.table()
	for _, rt := range d.routes {
		mux.Handle(rt.pattern(), d.serve(rt))
	}
	mux.Handle("/", d.serve(route{"", "/", open, func(q *request) error {
		q.sorry(http.StatusNotFound, "desk.error.not_found")
		return nil
	}}))
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(d.serve(route{"", "cross-origin", open, func(q *request) error {
		q.sorry(http.StatusForbidden, "desk.error.cross_site")
		return nil
	}}))
	return d.headers(d.sessions.LoadAndSave(guard.Handler(mux)))
}

// nav is the navigation, as far as the role goes.
func (q *request) nav() []navItem {
	all := []struct {
		id, path, key string
		act           casework.Act
	}{
		{"queue", "/queue", "desk.nav.queue", casework.ActQueue},
		{"mine", "/mine", "desk.nav.mine", casework.ActQueue},
		{"scheduled", "/scheduled", "desk.nav.scheduled", casework.ActQueue},
		{"registered", "/registered", "desk.nav.registered", casework.ActQueue},
		{"offers", "/offers", "desk.nav.offers", casework.ActHandover},
		{"new", "/new", "desk.nav.new", casework.ActNewCase},
		{"letters", "/letters", "desk.nav.letters", casework.ActLetters},
		{"asides", "/asides", "desk.nav.asides", casework.ActAsides},
		{"broadcasts", "/broadcasts", "desk.nav.broadcasts", casework.ActBroadcast},
		{"erasures", "/erasures", "desk.nav.erasures", casework.ActErase},
		{"exports", "/exports", "desk.nav.exports", casework.ActAllowExport},
		{"board", "/board", "desk.nav.board", casework.ActBoard},
		{"channels", "/channels", "desk.nav.channels", casework.ActChannels},
		{"staff", "/staff", "desk.nav.staff", casework.ActStaff},
		{"upkeep", "/upkeep", "desk.nav.upkeep", casework.ActSettings},
		{"audit", "/audit", "desk.nav.audit", casework.ActAudit},
	}
	var nav []navItem
	for _, n := range all {
		if n.id == "offers" && len(q.d.Missions) < 2 {
			continue // there is nobody to hand over to
		}
		if q.may(n.act) {
			nav = append(nav, navItem{ID: n.id, Path: n.path, Label: q.t(n.key)})
		}
	}
	return nav
}

// home sends everybody to the page of their work.
func home(q *request) error {
	switch {
	case q.may(casework.ActQueue):
		return q.to("/queue")
	case q.may(casework.ActStaff):
		return q.to("/staff")
	case q.may(casework.ActAudit):
		return q.to("/audit")
	case q.may(casework.ActBoard):
		return q.to("/board")
	}
	return q.to("/account")
}
