package board

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sysfs reads Linux's /sys and /proc, and the files of NVIDIA's Jetson. Other boards give
// what they have.
type Sysfs struct {
	// Root is the file system's root; nil is this machine's.
	Root fs.FS
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	facts *Facts
}

var _ Reader = (*Sysfs)(nil)

// Read reads everything anew but the facts.
func (s *Sysfs) Read() Reading {
	now := s.Now
	if now == nil {
		now = time.Now
	}
	t := tree{s.root()}
	r := Reading{Time: now()}
	if s.facts == nil {
		f := t.facts()
		s.facts = &f
	}
	r.Facts = *s.facts
	t.temperatures(&r)
	t.clocks(&r)
	t.load(&r)
	t.memory(&r)
	t.powerMode(&r)
	t.throttling(&r)
	r.Miss("gpu_memory", "no discrete GPU was asked")
	return r
}

func (s *Sysfs) root() fs.FS {
	if s.Root != nil {
		return s.Root
	}
	return os.DirFS("/")
}

// tree is the root of a file system with short ways to read small files.
type tree struct{ fs.FS }

// maxFile bounds what is read of a file: the longest, /proc/meminfo, has some 2 kB and
// nvpmodel's configuration some 20.
const maxFile = 256 << 10

// text is a small file without white space and NUL bytes around it.
func (t tree) text(name string) (string, error) {
	f, err := t.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", err
	}
	if s := strings.Trim(string(b), " \t\r\n\x00"); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("%s: empty", name)
}

// number is a file with one whole number.
func (t tree) number(name string) (int64, error) {
	s, err := t.text(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no number", name, clip(s))
	}
	return n, nil
}

// glob lists what matches one of the patterns, numbers in their order: zone2 before
// zone10.
func (t tree) glob(patterns ...string) (out []string) {
	for _, p := range patterns {
		names, _ := fs.Glob(t, p) // patterns are constants
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		out = append(out, names...)
	}
	return out
}

// first is the first of some files that can be read, else why the first that exists
// cannot.
func (t tree) first(names ...string) (string, error) {
	var why error
	for _, name := range names {
		s, err := t.text(name)
		if err == nil {
			return s, nil
		}
		if why == nil || errors.Is(why, fs.ErrNotExist) && !errors.Is(err, fs.ErrNotExist) {
			why = err
		}
	}
	return "", why
}

// why shortens an error to what can be acted on.
func why(err error) string {
	var p *fs.PathError
	if !errors.As(err, &p) {
		return err.Error()
	}
	switch name := "/" + path.Clean(p.Path); {
	case errors.Is(err, fs.ErrNotExist):
		return name + " is not there"
	case errors.Is(err, fs.ErrPermission):
		return name + " may be read by root only"
	default:
		return name + ": " + p.Err.Error()
	}
}

// clip keeps messages short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
