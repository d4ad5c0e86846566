package telegramtest

import (
	"net/http"
	"strconv"
)

// file is what a person sent. Telegram gives bots files of at most 20 MB.
type file struct {
	path    string
	content []byte
	size    int64
}

const largestFile = 20 << 20

// store keeps a file and returns its id. The server's lock is held.
func (b *Bot) store(kind string, content []byte) (id string) {
	n := len(b.files) + 1
	id = "AgACAgQAAx" + kind + strconv.Itoa(n)
	b.files[id] = &file{path: kind + "s/file_" + strconv.Itoa(n), content: content, size: int64(len(content))}
	return id
}

func (b *Bot) getFile(p Params) response {
	f := b.files[p["file_id"]]
	switch {
	case f == nil:
		return failure(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
	case f.size > largestFile:
		return failure(400, "Bad Request: file is too big")
	}
	return success(map[string]any{
		"file_id": p["file_id"], "file_unique_id": "u" + p["file_id"], "file_size": f.size, "file_path": f.path,
	})
}

func (s *Server) serveFile(w http.ResponseWriter, token, path string) {
	s.mu.Lock()
	var content []byte
	if b := s.bots[token]; b != nil {
		for _, f := range b.files {
			if f.path == path {
				content = f.content
			}
		}
	}
	s.mu.Unlock()
	if content == nil {
		answer(w, failure(404, "Not Found"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(content)
}
