package lexicon

import "pulang/flows"

// open are the steps that have no menu: their answers are free text, numbers, dates or places.
var open = map[flows.StepID]bool{
	flows.StepLocation: true, flows.StepPlaceConfirm: true, flows.StepLocationHint: true, flows.StepSafeTime: true, flows.StepSafeTimePart: true,
	flows.StepCallbackNumber: true, flows.StepNumberCountry: true, flows.StepCodeWord: true, flows.StepDuressWord: true,
	flows.StepFullName: true, flows.StepBirthDate: true, flows.StepHomeArea: true, flows.StepOverstaySince: true,
	flows.StepEntryDate: true, flows.StepEntryPoint: true, flows.StepHealthDetail: true, flows.StepFamilyContact: true,
	flows.StepExtra: true, flows.StepGroupSize: true, flows.StepGroupVulnerable: true, flows.StepSubjectName: true,
	flows.StepSubjectContact: true, flows.StepLastContact: true, flows.StepDocsAvailable: true, flows.StepMenu: true,
	flows.StepEdit: true, flows.StepDelete: true, flows.StepLanguage: true, flows.StepSameMatter: true, flows.StepNew: true,
}

// KnownStep says whether the conversation has this step.
func KnownStep(s flows.StepID) bool {
	_, menu := flows.Menus[s]
	return menu || open[s]
}
