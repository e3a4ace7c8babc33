package web

import (
	"bytes"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed page
var files embed.FS

// page is the live page's files, by path: these and no folder.
func page() map[string]http.Handler {
	out := map[string]http.Handler{}
	names, err := fs.ReadDir(files, "page")
	if err != nil {
		panic(err) // they are compiled in
	}
	for _, n := range names {
		text, err := files.ReadFile("page/" + n.Name())
		if err != nil {
			panic(err)
		}
		name, kind := "/"+n.Name(), mime.TypeByExtension(path.Ext(n.Name()))
		if name == "/index.html" {
			name = "/{$}"
		}
		out[name] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
		})
	}
	return out
}
