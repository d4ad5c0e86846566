package webchat

import (
	"net/http"
	"regexp"

	"pulang/bot"
)

func (c *Channel) contact(cookie string) bot.Contact {
	return bot.Contact{Channel: Name, Account: c.o.Line, Address: address(cookie)}
}

func (c *Channel) cookieName() string {
	if c.o.Secure {
		return "__Host-chat"
	}
	return "chat"
}

var goodCookie = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// cookie is the session's secret, or "" when the browser brings none of ours.
func (c *Channel) cookie(r *http.Request) string {
	k, err := r.Cookie(c.cookieName())
	if err != nil || !goodCookie.MatchString(k.Value) {
		return ""
	}
	return k.Value
}

func (c *Channel) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.o.Secure, SameSite: http.SameSiteStrictMode})
}

// lang is the page's language: the one asked for, or the browser's, or the line's.
func (c *Channel) lang(r *http.Request) string {
	want := r.URL.Query().Get("lang")
	if r.PostForm != nil && r.PostForm.Get("lang") != "" {
		want = r.PostForm.Get("lang")
	}
	if c.o.Catalogue.Has(want) {
		return want
	}
	return c.o.Lang
}

// query carries the chosen language along.
func (c *Channel) query(r *http.Request) string {
	if l := c.lang(r); l != c.o.Lang {
		return "?lang=" + l
	}
	return ""
}

// leftName is a mark in the browser that the person left the page by its exit: a restart of this process must not
// uncover the conversation for whoever holds the device then.
func (c *Channel) leftName() string { return c.cookieName() + "-left" }

func (c *Channel) hasLeft(r *http.Request) bool {
	_, err := r.Cookie(c.leftName())
	return err == nil
}

func (c *Channel) setLeft(w http.ResponseWriter, left bool) {
	k := http.Cookie{Name: c.leftName(), Value: "1", Path: "/", MaxAge: cookieDays * 24 * 60 * 60, HttpOnly: true,
		Secure: c.o.Secure, SameSite: http.SameSiteStrictMode}
	if !left {
		k.Value, k.MaxAge = "", -1
	}
	http.SetCookie(w, &k)
}
