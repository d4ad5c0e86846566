package webchat

import (
	"net/http"

	"pulang/bot"
	"pulang/flows"
)

// exit covers the conversation on this device and leaves for a neutral page. It changes nothing else, so that a
// plain link is enough.
func (c *Channel) exit(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		c.session(r, cookie).cover(true)
		c.setLeft(w, true)
	}
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, c.o.ExitURL, http.StatusSeeOther)
}

// back uncovers the conversation.
func (c *Channel) back(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		c.session(r, cookie).cover(false)
		c.setLeft(w, false)
	}
	http.Redirect(w, r, c.o.Base+c.query(r)+"#end", http.StatusSeeOther)
}

// end removes the conversation from this device. The report stays, and the case is told that this way is closed.
func (c *Channel) end(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		c.endOf(r, cookie)
	}
	c.setCookie(w, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, c.o.Base+c.query(r), http.StatusSeeOther)
}

// endOf tells the case that this way is closed. Where nothing was said there is none: a made-up cookie begins none.
func (c *Channel) endOf(r *http.Request, cookie string) {
	s := c.session(r, cookie)
	if !s.nothing() {
		err := c.o.Handler.Handle(r.Context(), bot.Message{
			UpdateID: "w" + address(cookie)[:12] + ":end", Line: c.o.Line, From: c.contact(cookie),
			Input: flows.Input{Kind: flows.KindBlocked, At: c.o.Clock(), Lang: c.lang(r)},
		})
		if err != nil { // the device is cleared all the same: that is what protects the person now
			c.o.Log.Warn("end of chat not stored", "channel", Name, "line", c.o.Line, "err", err)
		}
	}
	s.end()
}
