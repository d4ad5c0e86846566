// Package headers sets what keeps an answer over HTTP from being stored, framed, guessed at or followed elsewhere
// (OWASP ASVS 5.0, 3.4). What differs from listener to listener is said by the caller.
package headers

import "net/http"

// Set puts the headers that no answer of any listener goes without. csp is the Content-Security-Policy.
func Set(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
}

// SetPage puts the headers of a site that people open in a browser: besides those of Set, no other site shares its
// window or takes its files, and permissions is the Permissions-Policy.
func SetPage(h http.Header, csp, permissions string) {
	Set(h, csp)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
}
