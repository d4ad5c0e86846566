package intake

import "pulang/flows"

// The menu offers the commands to those who do not know the words.
var menuQuestions = []question{{
	id: flows.StepMenu, part: aside, silentMenu: []flows.Value{"danger", "officer", "stop", flows.None},
	menu: []flows.Value{"danger", "officer", "status", "edit", "language", "new", "delete", "stop", flows.None},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask, t.s.Shown = "", nil
		t.after = command(v)
	},
}}
