package store

import (
	"context"
	"strings"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// Kinds of blind index.
const (
	blindPhone    = "phone"
	blindPassport = "passport"
	blindNIK      = "nik"
	blindContact  = "contact"
	blindGroup    = "group" // join codes, of those who lead a group and of those who joined it
)

// numberSteps are the answers whose Norm is a phone number.
var numberSteps = []flows.StepID{flows.StepCallbackNumber, flows.StepSubjectContact, flows.StepFamilyContact}

// casesWith are the ids of the cases of a line that share a value, by its kind and blind.
func (s *Store) casesWith(ctx context.Context, line, kind, blind string) ([]string, error) {
	ids, err := s.rdb.HGet(ctx, keyBlind(line), kind+":"+blind).Result()
	if isNil(err) {
		return nil, nil
	}
	return strings.Fields(ids), err
}

// blindOf are the values by which a case is found, as "kind:blind", without repeats and in a stable order.
func (k *Keyring) blindOf(line string, c *casework.Case) string {
	var out []string
	seen := map[string]bool{}
	add := func(kind, blind string) {
		if s := kind + ":" + blind; !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	for _, to := range c.Contacts {
		add(blindContact, k.contactID(line, bot.ContactOf(to)))
	}
	for _, code := range casework.Groups(c) {
		add(blindGroup, k.Blind(blindGroup, code))
	}
	for _, step := range numberSteps {
		if n := c.Answers[step].Norm; strings.HasPrefix(n, "+") {
			add(blindPhone, k.Blind(blindPhone, n))
		}
	}
	for _, step := range documentSteps {
		for kind, value := range documents(c.Answers[step].Text) {
			add(kind, k.Blind(kind, value))
		}
	}
	return strings.Join(out, " ")
}

// documentSteps are the answers in which people write the numbers of their papers.
var documentSteps = []flows.StepID{flows.StepPassportStatus, flows.StepPassportCopy, flows.StepIDProof, flows.StepFullName, flows.StepExtra}

// documents yields the passport numbers (a letter or two and 6 or 7 digits, written together or apart) and NIKs (16
// digits, perhaps in groups) that a text holds, in the form in which they are indexed: upper case, no spaces.
func documents(text string) func(yield func(kind, value string) bool) {
	return func(yield func(string, string) bool) {
		words := strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
		})
		for i := range words {
			joined := ""
			for _, w := range words[i:] {
				if len(joined)+len(w) > 16 {
					break
				}
				joined += w
				if kind := documentKind(joined); kind != "" && !yield(kind, joined) {
					return
				}
			}
		}
	}
}

// documentKind tells by its form what paper a number without spaces belongs to; "" for none.
func documentKind(s string) string {
	digits := strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	letters := len(s) - len(digits)
	if strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	switch {
	case letters == 0 && len(digits) == 16:
		return blindNIK
	case (letters == 1 || letters == 2) && (len(digits) == 6 || len(digits) == 7):
		return blindPassport
	}
	return ""
}
