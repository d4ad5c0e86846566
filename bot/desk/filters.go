package desk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// filter is one visible filter with its values and how many waiting cases each has.
type filter struct {
	Name, Label string
	Options     []option
	Select      bool // drawn as a list, where there are many values
}

type option struct {
	Value, Label string
	N            int
	On           bool
}

// The filters, in the order of the page. They stand in the query: words of a closed list, and a province only as
// the beginning of its hash, since places stay out of addresses.
func (q *request) filters(items []bot.QueueItem, now time.Time) ([]filter, func(bot.QueueItem) bool, bool) {
	defs := []struct {
		name  string
		value func(bot.QueueItem) (value, label string)
		list  bool
	}{
		{"class", func(it bot.QueueItem) (string, string) {
			c := string(casework.Effective(it.Case, now))
			return c, c + " – " + q.t("class."+c)
		}, false},
		{"call", func(it bot.QueueItem) (string, string) {
			v := q.callable(it.Case, now)
			return v, q.t("desk.filter.call." + v)
		}, false},
		{"safety", func(it bot.QueueItem) (string, string) {
			v := cmp.Or(string(it.Case.Safety), "none")
			return v, q.t("desk.safety." + v)
		}, false},
		{"passport", func(it bot.QueueItem) (string, string) {
			v := cmp.Or(string(it.Case.Answers[flows.StepPassportStatus].Value()), "none")
			return v, q.valueText(flows.StepPassportStatus, flows.Value(v))
		}, true},
		{"channel", func(it bot.QueueItem) (string, string) { return it.Case.Origin, q.channelName(it.Case.Origin) }, false},
		{"place", func(it bot.QueueItem) (string, string) {
			province := q.province(it.Case)
			if province == "" {
				return "none", q.t("desk.filter.place.none")
			}
			sum := sha256.Sum256([]byte(province))
			return hex.EncodeToString(sum[:4]), province
		}, true},
		{"officer", func(it bot.QueueItem) (string, string) {
			if it.Case.Answers[flows.StepUrgentNeeds].Has("female_officer") {
				return "female", q.t("desk.filter.officer.female")
			}
			return "any", ""
		}, false},
		{"sim", func(it bot.QueueItem) (string, string) {
			if it.Case.Simulated {
				return "yes", q.t("desk.filter.sim.yes")
			}
			return "no", q.t("desk.filter.sim.no")
		}, false},
	}
	query := q.r.URL.Query()
	wanted := map[string][]string{}
	active := false
	var out []filter
	for _, def := range defs {
		f := filter{Name: def.name, Label: q.t("desk.filter." + def.name), Select: def.list}
		at := map[string]int{}
		for _, it := range items {
			v, label := def.value(it)
			i, ok := at[v]
			if !ok {
				i = len(f.Options)
				at[v] = i
				f.Options = append(f.Options, option{Value: v, Label: label, On: slices.Contains(query[def.name], v)})
			}
			f.Options[i].N++
		}
		for _, v := range query[def.name] {
			if v != "" {
				wanted[def.name] = append(wanted[def.name], v)
				active = true
			}
		}
		slices.SortFunc(f.Options, func(a, b option) int { return strings.Compare(order(def.name, a), order(def.name, b)) })
		f.Options = slices.DeleteFunc(f.Options, func(o option) bool { return o.Label == "" })
		if def.name == "sim" && len(f.Options) < 2 && !active {
			continue // nothing to choose where all cases are of one kind
		}
		if len(f.Options) > 0 {
			out = append(out, f)
		}
	}
	return out, func(it bot.QueueItem) bool {
		for _, def := range defs {
			if w := wanted[def.name]; len(w) > 0 {
				if v, _ := def.value(it); !slices.Contains(w, v) {
					return false
				}
			}
		}
		return true
	}, active
}

// order sorts the values of a filter: closed lists as their menu, the rest by label.
func order(name string, o option) string {
	rank := func(values ...string) string {
		i := slices.Index(values, o.Value)
		if i < 0 {
			i = len(values)
		}
		return fmt.Sprintf("%02d%s", i, o.Label)
	}
	switch name {
	case "class", "channel", "sim":
		return o.Value
	case "call":
		return rank("now", "wait", "no")
	case "safety":
		return rank("danger", "watched", "none", "safe")
	case "passport":
		var values []string
		for _, v := range flows.Menus[flows.StepPassportStatus] {
			values = append(values, string(v))
		}
		return rank(values...)
	}
	if o.Value == "none" {
		return "~"
	}
	return o.Label
}
