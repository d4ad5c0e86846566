package desk

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"pulang/bot"
)

// hashParams cost about 0.2 s and 64 MiB per try (OWASP asks for at least 19 MiB, t=2, p=1).
var hashParams = &argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}

const (
	minPassword = 15  // characters (NIST SP 800-63B-4, single factor)
	maxPassword = 256 // bytes: a longer one only costs time
)

//go:embed refused.txt
var refusedFile string

// refused are fragments of the passwords that everybody tries first, reduced by fold.
var refused = func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(refusedFile) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			m[fold(line)] = true
		}
	}
	return m
}()

// fold reduces a password to what a guesser varies: case, leetspeak, digits and marks at the ends.
func fold(s string) string {
	s = strings.ToLower(s)
	s = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", " ", "", "-", "", "_", "", ".", "").Replace(s)
	return strings.Trim(s, "26789?#*+%&")
}

// badPassword returns the catalogue key that says why a password is refused; empty accepts it.
func badPassword(pw, name string) string {
	switch {
	case utf8.RuneCountInString(pw) < minPassword:
		return "desk.password.short"
	case len(pw) > maxPassword:
		return "desk.password.long"
	}
	f := fold(pw)
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, pw)
	if len([]rune(f)) < 4 || refused[f] || refused[letters] {
		return "desk.password.common"
	}
	if name != "" && strings.Contains(f, fold(name)) && len(fold(name)) >= 3 {
		return "desk.password.name"
	}
	// One word again and again is one word: "passwordpassword", "abcabcabcabcabc".
	for n := 1; n <= len(f)/2; n++ {
		if strings.Repeat(f[:n], len(f)/n+1)[:len(f)] == f && (n < 6 || refused[f[:n]]) {
			return "desk.password.common"
		}
	}
	// A known word with little beside it.
	for w := range refused {
		if len(w) >= 6 && strings.Contains(f, w) && len(f)-len(w) < 4 {
			return "desk.password.common"
		}
	}
	return ""
}

// hash makes the stored form of a password. At most four run at once.
func (d *Desk) hash(ctx context.Context, pw string) (string, error) {
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return argon2id.CreateHash(norm.NFC.String(pw), hashParams)
}

// check compares a password with the account's hash; an unknown, disabled or unset account takes the same time.
func (d *Desk) check(ctx context.Context, pw string, a bot.Account, known bool) (bool, error) {
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	hash, ok := a.Hash, known && !a.Disabled && a.Hash != ""
	if !ok {
		hash = d.dummy
	}
	if len(pw) > maxPassword {
		pw, ok = pw[:maxPassword], false
	}
	match, err := argon2id.ComparePasswordAndHash(norm.NFC.String(pw), hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return match && ok, nil
}

// PasswordFits reports whether a password is the account's; never for an account that is closed or has none yet. It
// costs about 0.2 s and 64 MiB; the caller limits how often it is tried.
func PasswordFits(pw string, a bot.Account) (bool, error) {
	if a.Disabled || a.Hash == "" || len(pw) > maxPassword {
		return false, nil
	}
	ok, err := argon2id.ComparePasswordAndHash(norm.NFC.String(pw), a.Hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return ok, nil
}

// newDummy is a stored form that no password has: a salt and a key drawn by chance. To be compared with it costs what a
// comparison with a real one costs; to make it costs nothing, at every start and in memory.
func newDummy() string {
	random := func(n uint32) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // crypto/rand.Read never fails
		return base64.RawStdEncoding.EncodeToString(b)
	}
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", hashParams.Memory, hashParams.Iterations, hashParams.Parallelism,
		random(hashParams.SaltLength), random(hashParams.KeyLength))
}

// NewToken draws the secret of a one-time link.
func NewToken() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Link is the one-time link that carries token. The token stands in the fragment: a browser never sends it, so it
// is in no log and no referrer. Without JavaScript it is pasted into the form.
func Link(base, token string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "/welcome#" + token
	}
	return u.JoinPath("welcome").String() + "#" + token
}
