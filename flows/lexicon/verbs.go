package lexicon

import (
	"fmt"
	"strings"
)

// addVerb reads "name: root root …" and makes two words of it: name-ed for what is done to somebody (dipukul,
// dipukulin, di pukul, kepukul, dipun pukul) and name-ing for who does it (pukul, mukul, mukulin, memukuli).
func (l *Lexicon) addVerb(_, line string) error {
	name, rest, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("%q has no colon", line)
	}
	passive, active := l.intern(name+"-ed"), l.intern(name+"-ing")
	for root := range strings.FieldsSeq(rest) {
		only := ""
		if r, ok := strings.CutSuffix(root, "!"); ok { // exactly this spelling, as something done to somebody
			l.spell(r, passive)
			continue
		}
		if r, ok := strings.CutSuffix(root, "-"); ok { // the root alone is another word
			root, only = r, "no bare"
		}
		ends := []string{"", "in", "i", "kan", "kn", "ken", "an", "inya", "nya"}
		if strings.HasSuffix(root, "i") {
			ends = []string{"", "n", "in", "kan", "kn", "nya"}
		}
		for _, e := range ends {
			for _, p := range []string{"di", "d", "dipun", "ke", "ter", "tak", "na", "ka", "e"} {
				if len(p) <= 2 && p != "di" && p != "ke" && (len(root) < 4 || p != "d" && p != "e" && e != "") {
					continue
				}
				if p == "ter" && e != "" || p == "ke" && e != "" && e != "an" || p == "tak" && len(root) < 5 {
					continue
				}
				l.spell(p+root+e, passive)
			}
			if e == "an" || e == "nya" || e == "inya" {
				continue
			}
			for _, n := range nasal(root) {
				l.spell(n+e, active)
				l.spell("me"+n+e, active)
			}
			if only == "" || e != "" {
				l.spell(root+e, active)
			}
		}
		l.spell("peng"+root, active)
	}
	for _, di := range []string{"di", "d", "dipun", "kena", "dapa", "dapat", "pada"} {
		l.pairs[[2]word{l.intern(di), active}] = passive
	}
	l.pairs[[2]word{l.intern("kena"), passive}] = passive
	return nil
}

// nasal returns the active stems of a root: pukul -> mukul, tahan -> nahan, kurung -> ngurung, siksa -> nyiksa.
func nasal(root string) []string {
	if root == "" {
		return nil
	}
	rest := root[1:]
	switch root[0] {
	case 'p':
		return []string{"m" + rest}
	case 't':
		return []string{"n" + rest}
	case 'k':
		return []string{"ng" + rest}
	case 's':
		return []string{"ny" + rest}
	case 'c':
		return []string{"ny" + rest, "n" + root}
	case 'b', 'f':
		return []string{"m" + root, "nge" + root}
	case 'd', 'j', 'z':
		return []string{"n" + root, "nge" + root}
	case 'a', 'e', 'i', 'o', 'u', 'g', 'h':
		return []string{"ng" + root}
	}
	if strings.IndexByte("lrwmn", root[0]) >= 0 {
		return []string{"nge" + root}
	}
	return nil
}
