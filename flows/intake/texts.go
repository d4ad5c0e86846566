package intake

import (
	"slices"

	"pulang/flows"
)

// overtTexts could show on a lock screen whom the person is talking to. Before the person is known to be safe they
// never come first: a neutral sentence goes ahead. A test finds out which texts belong here.
var overtTexts = map[flows.TextID]bool{
	"ask.confirm": true, "ask.consent_share": true, "ask.group_consent": true, "ask.passport_copy": true,
	"ask.passport_copy.other": true, "ask.passport_status": true, "ask.passport_status.group": true,
	"ask.passport_status.other": true, "ask.place_confirm": true, "ask.rescue_id": true, "ask.who_for": true,
	"choice.consent_share.mission_only": true, "choice.edit.passport_copy": true,
	"choice.edit.passport_status": true, "choice.id_proof.passport_photo": true, "choice.menu.new": true,
	"choice.passport_status.held_by_authority": true, "choice.place_confirm.place": true,
	"choice.place_kind.at_mission": true, "choice.place_kind.immigration_detention": true,
	"choice.place_kind.police": true, "choice.same_matter.new": true, "choice.urgent_needs.detained": true,
	"choice.urgent_needs.held_or_threatened": true, "confirm.received": true, "delete.chat": true,
	"door.address": true, "location.near": true, "location.other": true, "location.other.nonumber": true, "location.passed": true,
	"location.passed_nonumber": true, "location.asked": true,
	"status.arrived": true, "status.closed": true, "status.reported": true, "status.splp_applied": true,
	"status.splp_issued": true, "stopped": true, "understood.passport": true,
}

// sayings are the texts beside the questions.
var sayings = []flows.TextID{
	"welcome", "welcome.heard", "no_call", "no_call.wait", "missed.again", "plea", "door.address", "door.hours", "number.noted", "number.gone", "hours.noted", "corrected", "lead", "noted", "kept", "edited", "finished", "later", "nudge", "again.note", "again.note.silent", "tap.old", "multi.more",
	"miss.one", "miss.two", "miss.three", "miss.many", "miss.zero", "miss.open", "miss.silent",
	"nationality.noted", "danger.first", "danger.located", "danger.noted", "watched.start", "silent.ok", "safety.lowered", "self_harm", "self_harm.silent",
	"location.near", "location.other", "location.other.nonumber", "location.passed", "location.passed_nonumber", "location.asked", "location.elsewhere",
	"confirm.received", "confirm.understood", "confirm.no_posting", "confirm.commands", "understood.people", "understood.point",
	"understood.passport", "understood.permit", "ask.confirm.more", "ask.trusted_adult.child",
	"media.voice", "media.photo", "media.video", "media.document", "media.sticker", "media.other", "media.contact",
	"stopped", "paused.offer", "paused.silent", "officer.wanted", "officer.meanwhile", "join.how", "join.leader", "join.how.silent", "join.unknown", "join.case_code", "join.done", "group.join", "check.how", "check.asked",
	"status.none", "status.code", "status.silent", "status.wrong", "status.wrong.silent", "status.wait",
	"status.wait.silent", "status.reporter",
	"ask.delete.sure", "ask.delete.really", "delete.how", "delete.chat", "delete.silent",
	"delete.silent.how", "delete.requested", "same.noted", "new.started",
	"ask.safety_now.again", "ask.place_confirm.which", "choice.place_confirm.place", "choice.skip", "choice.done",
	"ask.safe_time_part.one", "ask.safe_time_part.one.silent", "choice.safe_time_part.night", "choice.safe_time_part.morning", "choice.safe_time_part.day",
	"choice.safe_time_part.afternoon", "choice.safe_time_part.no", "choice.number_country.here", "choice.number_country.ID", "country.ID", "button.send_location", "button.send_contact",
}

// Texts are all catalogue keys that the conversation may use, sorted: what a translator has to translate.
func (f *Flow) Texts() []flows.TextID {
	ids := slices.Clone(sayings)
	for _, q := range f.list {
		ask := "ask." + flows.TextID(q.id)
		ids = append(ids, ask)
		if q.silent {
			ids = append(ids, ask+".silent")
		}
		if q.other {
			ids = append(ids, ask+".other")
		}
		if q.group {
			ids = append(ids, ask+".group")
		}
		if q.label == nil {
			for _, v := range slices.Concat(q.menu, q.silentMenu) {
				ids = append(ids, flows.TextID("choice."+string(q.id)+"."+string(v)))
			}
		}
		if q.part != aside && q.due == nil && q.id != flows.StepConfirm {
			ids = append(ids, flows.TextID("choice.edit."+string(q.id)))
		}
	}
	for _, v := range []flows.Value{delChat, delData, delSure, delReally, flows.None} {
		ids = append(ids, flows.TextID("choice.delete."+string(v)))
	}
	for _, v := range flows.Menus[flows.StepCountry] {
		ids = append(ids, flows.TextID("country."+string(v)))
	}
	for _, l := range f.cfg.Langs {
		ids = append(ids, flows.TextID("lang."+l))
	}
	for s := range stages {
		ids = append(ids, flows.TextID("status."+s))
	}
	ids = append(ids, "choice.edit.none", "choice.place_confirm.yes", "choice.place_confirm.no",
		"ask.menu.silent", "ask.same_matter.silent", "ask.language.silent")
	slices.Sort(ids)
	return slices.Compact(ids)
}
