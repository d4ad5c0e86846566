package casework

import (
	"cmp"
	"slices"
	"strings"

	"pulang/flows"
)

// Groups are the join codes of the groups that the case belongs to: the one it leads, the one it joined.
func Groups(c *Case) []string {
	var out []string
	for _, g := range []string{c.Leads, c.Group} {
		if g != "" && !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// Unconfirmed are the names that a leader typed. Nobody behind them has agreed to anything: they are no cases.
func Unconfirmed(c *Case) []string {
	if c.Leads == "" {
		return nil
	}
	var out []string
	for name := range strings.SplitSeq(c.Answers[flows.StepGroupMembers].Norm, "\n") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Vulnerable reports whether somebody looks after this person first: under age or with a child, pregnant, ill or hurt.
func Vulnerable(c *Case) bool {
	f := facts{c: c, urgent: c.Answers[flows.StepUrgentNeeds]}
	return f.open("minor") || underAge(c) || f.child() || f.pregnant() || f.needs("injured") || f.needs("sick") ||
		f.open("medical_emergency") || f.open("self_harm")
}

// ByNeed orders the members of a group: the leader, then whoever is vulnerable, then by class, then by arrival.
func ByNeed(code string) func(a, b *Case) int {
	rank := func(c *Case) int {
		switch {
		case c.Leads == code:
			return 0
		case Vulnerable(c):
			return 1
		}
		return 2
	}
	return func(a, b *Case) int {
		return cmp.Or(rank(a)-rank(b), base(a).rank()-base(b).rank(), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Code, b.Code))
	}
}
