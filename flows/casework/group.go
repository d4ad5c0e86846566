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

// Care is what of the person's health somebody on the way has to know of: injured, sick, pregnant, as it was said or read
// and no officer has dealt with it; nil for nothing.
func Care(c *Case) []flows.Value {
	f := facts{c: c, urgent: c.Answers[flows.StepUrgentNeeds]}
	var out []flows.Value
	for _, x := range []struct {
		need flows.Value
		is   bool
	}{{"injured", f.needs("injured")}, {"sick", f.needs("sick") || f.open("medical_emergency")}, {"pregnant", f.pregnant()}} {
		if x.is {
			out = append(out, x.need)
		}
	}
	return out
}

// Minor reports whether the person is under age, as it was stated or read; WithChild whether a child is with them.
func Minor(c *Case) bool { return c.open("minor") || c.open("minor_alone") || underAge(c) }
func WithChild(c *Case) bool {
	return !Minor(c) && (c.open("child") || c.Answers[flows.StepUrgentNeeds].Has("child"))
}

// Unaccompanied reports whether no adult whom they trust is with the person under age, or with the child.
func Unaccompanied(c *Case) bool {
	return c.open("minor_alone") || (Minor(c) || WithChild(c)) && c.Answers[flows.StepTrustedAdult].Value() == flows.No
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
