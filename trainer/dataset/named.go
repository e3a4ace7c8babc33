package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"perceive/models"
)

// Named is how data sets were asked for, in words that a model file can carry to other
// machines.
type Named struct {
	// URIs are those that Open was given, without the folders of this machine.
	URIs []string `json:"uris,omitempty"`
	// Teachers are the files of what detectors saw.
	Teachers []models.File `json:"teachers,omitempty"`
}

// NameOf names the data sets of URIs, and reads the files of beliefs for their hashes.
func NameOf(uris []string) (Named, error) {
	var n Named
	for _, uri := range uris {
		n.URIs = append(n.URIs, Portable(uri))
		_, text, _ := strings.Cut(uri, "?")
		query, err := url.ParseQuery(text)
		if err != nil {
			return n, fmt.Errorf("dataset: %s: %w: %w", uri, ErrURI, err)
		}
		if path := query.Get("teacher"); path != "" {
			sum, err := hashFile(path)
			if err != nil {
				return n, fmt.Errorf("dataset: %w", err)
			}
			n.Teachers = append(n.Teachers, models.File{Name: filepath.Base(path), SHA256: sum})
		}
	}
	return n, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// places are the options whose values are paths.
var places = map[string]bool{"images": true, "names": true, "teacher": true}

// Portable is a URI without the folders of the machine: of every path in it the last folder
// and the name are left. Kind and options stay. What is no URI comes back shortened like a
// path.
func Portable(uri string) string {
	what, text, asked := strings.Cut(uri, "?")
	scheme, path, ok := strings.Cut(what, ":")
	switch {
	case !ok:
		what = portablePath(what)
	case scheme != "scene":
		what = scheme + ":" + portablePath(path)
	}
	if !asked {
		return what
	}
	options := strings.Split(text, "&")
	for i, o := range options {
		key, value, _ := strings.Cut(o, "=")
		if !places[key] {
			continue
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		// A path reads better as it is; what would end it is escaped again.
		value = strings.ReplaceAll(url.QueryEscape(portablePath(value)), "%2F", "/")
		options[i] = key + "=" + value
	}
	return what + "?" + strings.Join(options, "&")
}

// portablePath is the last folder of a path and its name.
func portablePath(path string) string {
	path = filepath.Clean(path)
	dir, name := filepath.Split(path)
	folder := filepath.Base(dir)
	switch {
	case name == "":
		return "." // the root
	case dir == "" || folder == "." || folder == ".." || folder == string(filepath.Separator):
		return name
	}
	return folder + "/" + name
}
