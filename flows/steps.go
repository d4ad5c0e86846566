package flows

// The steps of the conversation. Append only: stored answers, tapped buttons and exports bear these names.
const (
	StepSafetyNow       StepID = "safety_now"
	StepWhoFor          StepID = "who_for"
	StepLocation        StepID = "location"
	StepPlaceConfirm    StepID = "place_confirm"
	StepPlaceKind       StepID = "place_kind"
	StepLocationHint    StepID = "location_hint"
	StepUrgentNeeds     StepID = "urgent_needs"
	StepPassportStatus  StepID = "passport_status"
	StepPassportCopy    StepID = "passport_copy"
	StepImmigration     StepID = "immigration_status"
	StepContactPref     StepID = "contact_pref"
	StepSafeTime        StepID = "safe_time"
	StepSafeTimePart    StepID = "safe_time_part" // morning or evening
	StepCallbackNumber  StepID = "callback_number"
	StepNumberCountry   StepID = "number_country"
	StepCodeWord        StepID = "code_word"
	StepDuressWord      StepID = "duress_word"
	StepConfirm         StepID = "confirm"
	StepFullName        StepID = "full_name"
	StepSex             StepID = "sex"
	StepBirthDate       StepID = "birth_date"
	StepHomeArea        StepID = "home_area"
	StepIDProof         StepID = "id_proof"
	StepOverstaySince   StepID = "overstay_since"
	StepEntryDate       StepID = "entry_date"
	StepEntryPoint      StepID = "entry_point"
	StepHealthDetail    StepID = "health_detail"
	StepReturnPlan      StepID = "return_plan"
	StepFamilyContact   StepID = "family_contact"
	StepFamilyConsent   StepID = "family_consent"
	StepConsentShare    StepID = "consent_share"
	StepExtra           StepID = "extra"
	StepGroupSize       StepID = "group_size"
	StepGroupVulnerable StepID = "group_vulnerable"
	StepGroupConsent    StepID = "group_consent"
	StepGroupSamePlace  StepID = "group_same_place"
	StepRelation        StepID = "relation"
	StepSubjectName     StepID = "subject_name"
	StepSubjectContact  StepID = "subject_contact"
	StepSubjectSafe     StepID = "subject_contact_safe"
	StepLastContact     StepID = "last_contact"
	StepRansomAsked     StepID = "ransom_asked"
	StepDocsAvailable   StepID = "documents_available"
	StepTrustedAdult    StepID = "trusted_adult"
	StepCountry         StepID = "country"
	StepNationality     StepID = "nationality"
	StepGroupMembers    StepID = "group_members"   // names that the leader typed: unconfirmed
	StepRansomAmount    StepID = "ransom_amount"   // how much, and who asks
	StepSubjectConsent  StepID = "subject_consent" // entered by an officer only: the reporter may be told of the person
	StepConfirmYesNo    StepID = "confirm_yes_no"  // any yes-or-no question; only a name for `understand --step`
	StepMenu            StepID = "menu"
	StepEdit            StepID = "edit"
	StepDelete          StepID = "delete"
	StepLanguage        StepID = "language"
	StepSameMatter      StepID = "same_matter"
	StepNew             StepID = "new"
	StepStatus          StepID = "status" // the code word is asked before the stage is told
)

// The rescue packet: six items without which the local authorities send nobody. They are asked one by one, and only
// of a person for whom an officer started it.
const (
	StepRescueLocation StepID = "rescue_location" // the exact point
	StepRescueRoom     StepID = "rescue_room"     // floor and room
	StepRescueBuilding StepID = "rescue_building" // a photo of the building
	StepRescuePhoto    StepID = "rescue_photo"    // a photo of the person as they look now
	StepRescueID       StepID = "rescue_id"       // a photo of the passport, or the name in Latin letters as in it
	StepRescueContact  StepID = "rescue_contact"  // somebody who can be reached
)

// RescueSteps are the six items in the order in which they are asked.
var RescueSteps = []StepID{
	StepRescueLocation, StepRescueRoom, StepRescueBuilding, StepRescuePhoto, StepRescueID, StepRescueContact,
}

// Values that several packages reason about.
const (
	Safe    Value = "safe"
	Watched Value = "watched"
	Danger  Value = "danger"

	CallAnytime Value = "call_anytime"
	CallWindow  Value = "call_window"
	TextOnly    Value = "text_only"
	WaitForMe   Value = "wait_for_me"

	Yes     Value = "yes"
	No      Value = "no"
	Unknown Value = "unknown"
	None    Value = "none"
	// Done ends a multi-select.
	Done Value = "done"
	// Skip passes over a question, like LEWATI; offered as 0 on the questions after the confirmation.
	Skip Value = "skip"
)

// Menus are the closed questions: their values in the order of their numbers, from 1; None stands last and is
// numbered 0 where ZeroIsNone says so.
var Menus = map[StepID][]Value{
	StepSafetyNow:      {Safe, Watched, Danger},
	StepWhoFor:         {"self", "group", "other_person"},
	StepPlaceKind:      {"in_compound", "guesthouse", "outdoors", "at_mission", "shelter", "police", "immigration_detention", "hospital", "border", "moving"},
	StepUrgentNeeds:    {"injured", "sick", "pregnant", "child", "held_or_threatened", "detained", "no_food_water", "no_shelter", "female_officer", None},
	StepPassportStatus: {"with_me_valid", "with_me_expired", "held_by_employer", "held_by_other", "held_by_authority", "lost_stolen", "damaged", "never_had", Unknown},
	StepPassportCopy:   {"photo", "number", None},
	StepImmigration:    {"valid", "overstay", "no_entry_stamp", Unknown},
	StepContactPref:    {CallAnytime, CallWindow, TextOnly, WaitForMe},
	StepSex:            {"male", "female"},
	StepIDProof:        {"passport_photo", "ktp", "kk", "birth_certificate", "driving_licence", "diploma", "marriage_book", "knows_nik", None},
	StepReturnPlan:     {"return_self_funded", "return_needs_help", "not_now", "unsure"},
	StepFamilyConsent:  {"may_tell_safe", "may_ask_documents", "no_contact"},
	StepConsentShare:   {"agree", "mission_only", "ask_officer"},
	StepConfirm:        {"continue", "later"},
	StepRelation:       {"parent", "spouse", "sibling", "friend", "partner", "other"},
	StepSubjectSafe:    {Yes, No, Unknown},
	StepRansomAsked:    {Yes, No, Unknown},
	StepGroupConsent:   {Yes, No, Unknown},
	StepGroupSamePlace: {Yes, No},
	StepTrustedAdult:   {Yes, No},
	StepConfirmYesNo:   {Yes, No},
	StepNationality:    {"wni", "other", Unknown},
	StepSubjectConsent: {Yes, No},
	StepCountry:        {"KH", "MM", "LA", "TH", "VN", "PH", "MY", "other"},
}

// Multi are the questions that take more than one value.
var Multi = map[StepID]bool{StepUrgentNeeds: true, StepIDProof: true}

// ZeroIsNone are the menus whose last value, None, is typed as 0.
var ZeroIsNone = map[StepID]bool{StepUrgentNeeds: true}
