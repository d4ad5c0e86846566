package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"pulang/flows/casework"
)

// Life of a session (OWASP ASVS 5.0, 7.3): the idle time is counted by what a person does, not by the page that
// refreshes itself.
const (
	idleTimeout  = 20 * time.Minute
	sessionLife  = 8 * time.Hour
	seenGrain    = 30 * time.Second // how exactly activity is noted: not every click is worth a write
	grantLife    = 2 * time.Minute  // how long a revealed field stays open without activity
	skipMemory   = 10 * time.Minute
	openFor      = 30 * time.Minute // how long one audited look covers a page that refreshes itself
	skipsNoWords = 2                // from the third skip in skipMemory a reason is asked for
)

// session is what is stored of a signed-in browser. Nothing about a citizen is in it beside case codes.
type session struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"` // sign-in
	Seen    time.Time `json:"seen"`
	Mission string    `json:"mission,omitempty"`
	// Half is what is still missing before anybody is signed in: halfCode or halfSetUp. "" is a whole session.
	Half string `json:"half,omitempty"`
	// Key is the second factor that is being set up, until a code confirms it.
	Key string `json:"key,omitempty"`
	// Skips are the cases passed over, with their time.
	Skips []skip `json:"skips,omitempty"`
	// Grants are the fields revealed lately.
	Grants []grant `json:"grants,omitempty"`
	// Opened are the cases whose opening was audited lately; "" is the list.
	Opened []skip `json:"opened,omitempty"`
	// Flash is shown once on the next page.
	Flash *flash `json:"flash,omitempty"`
}

type skip struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"`
}

// grant is the permission to see one field of one case for a while; the purpose is asked for once a case.
type grant struct {
	Code    string    `json:"code"`
	Field   string    `json:"field"`
	Purpose string    `json:"purpose"`
	At      time.Time `json:"at"`
}

// flash is a sentence for the next page: a catalogue key with its arguments.
type flash struct {
	Key  string         `json:"key"`
	Args map[string]any `json:"args,omitempty"`
	Bad  bool           `json:"bad,omitempty"`
}

const (
	sessionKey = "desk"
	accountKey = "account"
)

// AccountOf tells from the values of a session which account is signed in; "" for none.
func AccountOf(values map[string]any) string {
	name, _ := values[accountKey].(string)
	return name
}

func (d *Desk) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store = d.Sessions
	m.Lifetime = sessionLife
	m.Cookie.Name = "desk"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteStrictMode
	m.Cookie.Path = "/"
	m.Cookie.Persist = false
	if d.secure {
		m.Cookie.Name = "__Host-desk"
		m.Cookie.Secure = true
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { d.down(w, r, err) }
	return m
}

// loadSession returns the session of the request, or nil when nobody is signed in or the session is over.
func (d *Desk) loadSession(ctx context.Context) *session {
	raw := d.sessions.GetString(ctx, sessionKey)
	if raw == "" {
		return nil
	}
	var s session
	if json.Unmarshal([]byte(raw), &s) != nil || s.Name == "" {
		return nil
	}
	now := d.Clock()
	if now.Sub(s.At) > sessionLife || now.Sub(s.Seen) > idleTimeout || s.Half != "" && now.Sub(s.At) > halfLife {
		return nil
	}
	return &s
}

func (d *Desk) saveSession(ctx context.Context, s *session) {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain data: cannot happen
	}
	d.sessions.Put(ctx, sessionKey, string(b))
	d.sessions.Put(ctx, accountKey, s.Name) // by this the store finds all sessions of an account
}

// sessionHash is what the audit log keeps of a session: enough to tell two apart, nothing to steal.
func (d *Desk) sessionHash(ctx context.Context) string {
	t := d.sessions.Token(ctx)
	if t == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("audit:" + t))
	return hex.EncodeToString(sum[:6])
}

// skipped returns the codes passed over in the last ten minutes.
func (s *session) skipped(now time.Time) []string {
	var codes []string
	for _, k := range s.Skips {
		if now.Sub(k.At) < skipMemory {
			codes = append(codes, k.Code)
		}
	}
	return codes
}

func (s *session) addSkip(code string, now time.Time) {
	keep := s.Skips[:0]
	for _, k := range s.Skips {
		if now.Sub(k.At) < skipMemory && k.Code != code {
			keep = append(keep, k)
		}
	}
	s.Skips = append(keep, skip{code, now})
}

// openedLately reports whether this browser's look at the case (at the list, for "") stands in the audit log. A
// page that refreshes itself is one look; what claims to be one without a first look is audited like any other.
func (s *session) openedLately(code string, now time.Time) bool {
	for _, k := range s.Opened {
		if k.Code == code && now.Sub(k.At) < openFor {
			return true
		}
	}
	return false
}

func (s *session) opened(code string, now time.Time) {
	keep := s.Opened[:0]
	for _, k := range s.Opened {
		if k.Code != code && now.Sub(k.At) < openFor {
			keep = append(keep, k)
		}
	}
	s.Opened = append(keep, skip{code, now})
	if over := len(s.Opened) - 30; over > 0 {
		s.Opened = s.Opened[over:]
	}
}

// granted reports whether a field of the case is revealed, and keeps it open while the officer works.
func (s *session) granted(code, field string, now time.Time) bool {
	for _, g := range s.Grants {
		if g.Code == code && g.Field == field && now.Sub(g.At) < grantLife {
			return true
		}
	}
	return false
}

// purpose is what the officer gave as purpose for this case in this session, empty when not asked yet.
func (s *session) purpose(code string) string {
	for _, g := range s.Grants {
		if g.Code == code {
			return g.Purpose
		}
	}
	return ""
}

func (s *session) addGrant(code, field, purpose string, now time.Time) {
	keep := s.Grants[:0]
	for _, g := range s.Grants {
		if g.Code != code || g.Field != field {
			keep = append(keep, g)
		}
	}
	s.Grants = append(keep, grant{code, field, purpose, now})
	if over := len(s.Grants) - 40; over > 0 { // a session stays small
		s.Grants = s.Grants[over:]
	}
}

// officer is what the order of the queue needs to know of the account.
func (q *request) officer() casework.Officer {
	return casework.Officer{
		Name: q.user.Name, Female: q.user.Female, Supervisor: q.user.Role == casework.RoleSupervisor,
	}
}
