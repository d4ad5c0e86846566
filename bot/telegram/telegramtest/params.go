package telegramtest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Params are a call's parameters as text; what is not a string is JSON.
type Params map[string]string

// Int reads a number; 0 when it is missing or none.
func (p Params) Int(name string) int64 {
	n, _ := strconv.ParseInt(p[name], 10, 64)
	return n
}

// Bool reads true or false.
func (p Params) Bool(name string) bool {
	return p[name] == "true" || p[name] == "True" || p[name] == "1"
}

// JSON reads a parameter that is JSON. A missing one leaves v alone.
func (p Params) JSON(name string, v any) error {
	if p[name] == "" {
		return nil
	}
	return json.Unmarshal([]byte(p[name]), v)
}

// readParams reads a call's parameters from the query, a form, a multipart form or a JSON body.
func readParams(r *http.Request) (Params, error) {
	p := Params{}
	for k, v := range r.URL.Query() {
		p[k] = v[0]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		var body map[string]json.RawMessage
		raw, err := io.ReadAll(r.Body)
		if err != nil || len(raw) > 0 && json.Unmarshal(raw, &body) != nil {
			return nil, errors.New("can't parse JSON object")
		}
		for k, v := range body {
			var s string
			if json.Unmarshal(v, &s) == nil && v[0] == '"' {
				p[k] = s
			} else {
				p[k] = string(v)
			}
		}
	case "multipart/form-data":
		// An empty multipart body is what some clients send for a call without parameters.
		err := r.ParseMultipartForm(32 << 20)
		if err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "EOF") {
			return nil, errors.New("can't parse the form")
		}
		if r.MultipartForm != nil {
			for k, v := range r.MultipartForm.Value {
				p[k] = v[0]
			}
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, errors.New("can't parse the form")
		}
		for k, v := range r.PostForm {
			p[k] = v[0]
		}
	}
	return p, nil
}
