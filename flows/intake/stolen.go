package intake

import (
	"slices"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// The words of a message belong to the open question only if they can be its answer: somebody who writes of money and a
// doctor where a name or a yes is asked has told something else, and is asked again.
var (
	// politeWords say nothing beside an answer.
	politeWords = lexicon.Plain("polite")
	// noName are words that stand in sentences and in no name.
	noName = lexicon.Plain("no_name")
	// laterWords put a question off. None of them is a secret: it is the first that anybody would say.
	laterWords = lexicon.Plain("later")
)

// plainly reports whether the message is nothing but an answer in a word or two: each word, read by itself, answers the
// question or says nothing.
func (t *turn) plainly(q *question, text string) bool {
	c := t.context(q)
	words := strings.Fields(fold(text))
	for _, w := range words {
		if politeWords[w] {
			continue
		}
		r := t.f.read(w, c)
		if r.YesNo == "" && !slices.ContainsFunc(r.Chosen, func(v flows.Value) bool { return slices.Contains(q.menu, v) }) {
			return false
		}
	}
	return len(words) > 0 || t.r.YesNo != "" // 👍
}

// sentence reports whether what stands where a name is asked is a sentence.
func sentence(text string) bool {
	words := strings.Fields(fold(text))
	return len(words) > 7 || slices.ContainsFunc(words, func(w string) bool { return noName[w] })
}

// putsOff reports whether the message only says later, or no.
func putsOff(text string) bool {
	words, some := strings.Fields(fold(text)), false
	for _, w := range words {
		some = some || laterWords[w]
		if !laterWords[w] && !politeWords[w] {
			return false
		}
	}
	return some
}
