package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// FileOptions are where files go and how much room they take.
type FileOptions struct {
	// Dir is made if it does not exist.
	Dir string
	// Prefix begins the names; empty means "perceive".
	Prefix string
	// MaxBytes is the length at which a new file is begun; 0 means 64 MiB.
	MaxBytes int64
	// MaxFiles is how many are kept, those of earlier runs among them; 0 means 16.
	MaxFiles int
	// Disk is for tests; nil is the real one.
	Disk Disk
}

// Disk is what is asked of a file system.
type Disk interface {
	MkdirAll(dir string) error
	Names(dir string) ([]string, error)
	Remove(path string) error
	// Create makes a file that does not exist yet, for appending.
	Create(path string) (File, error)
}

// File is an open file.
type File interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
}

type realDisk struct{}

func (realDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o755) }
func (realDisk) Remove(path string) error  { return os.Remove(path) }
func (realDisk) Create(path string) (File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
}
func (realDisk) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// series is files with numbers in their names, of which the newest few are kept.
type series struct {
	FileOptions
	ext string

	file  File
	path  string
	whole int64 // bytes of the file that are whole
	// damaged: the file could not be cut back to whole; only another one can be written to.
	damaged bool
}

func newSeries(o FileOptions, ext string) (*series, error) {
	if o.Prefix == "" {
		o.Prefix = "perceive"
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = 16
	}
	if o.MaxBytes < 0 || o.MaxFiles < 0 {
		return nil, errors.New("publish: files: the length and the number of files must be positive")
	}
	if strings.ContainsRune(o.Prefix, filepath.Separator) {
		return nil, fmt.Errorf("publish: files: the prefix %q is a path: the folder has a setting of its own", o.Prefix)
	}
	if o.Disk == nil {
		o.Disk = realDisk{}
	}
	if err := o.Disk.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("publish: files: %w", err)
	}
	s := &series{FileOptions: o, ext: ext}
	_, err := s.numbers()
	return s, err
}

// numbers are those of the files that exist, in order.
func (s *series) numbers() ([]int, error) {
	names, err := s.Disk.Names(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("publish: files: %w", err)
	}
	var all []int
	for _, name := range names {
		digits, ours := strings.CutPrefix(name, s.Prefix+"-")
		digits, ext := strings.CutSuffix(digits, s.ext)
		if n, err := strconv.Atoi(digits); ours && ext && err == nil && n > 0 && s.name(n) == filepath.Join(s.Dir, name) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

func (s *series) name(n int) string {
	return filepath.Join(s.Dir, fmt.Sprintf("%s-%06d%s", s.Prefix, n, s.ext))
}

// next begins another file. The oldest go first, so that there is room for it.
func (s *series) next() error {
	all, err := s.numbers()
	if err != nil {
		return err
	}
	n := 1
	if len(all) > 0 {
		n = all[len(all)-1] + 1
	}
	for len(all) >= s.MaxFiles {
		if err := s.Disk.Remove(s.name(all[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("publish: files: %w", err)
		}
		all = all[1:]
	}
	f, err := s.Disk.Create(s.name(n))
	if err != nil {
		return fmt.Errorf("publish: files: %w", err)
	}
	s.file, s.path, s.whole, s.damaged = f, s.name(n), 0, false
	return nil
}

// Write implements io.Writer: all of b, or nothing.
func (s *series) Write(b []byte) (int, error) {
	if s.damaged {
		s.cut()
	}
	if s.damaged {
		return 0, fmt.Errorf("publish: %s: part of a line cannot be cut off", s.path)
	}
	_, err := s.file.Write(b)
	if err == nil {
		s.whole += int64(len(b))
		return len(b), nil
	}
	s.cut()
	return 0, fmt.Errorf("publish: files: %w", err)
}

// cut cuts off what was written in part.
func (s *series) cut() { s.damaged = s.file.Truncate(s.whole) != nil }

// close closes the present file; an empty one goes, as it says nothing.
func (s *series) close() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Sync(), s.file.Close())
	s.file = nil
	if s.whole == 0 {
		err = s.Disk.Remove(s.path)
	}
	if err != nil {
		return fmt.Errorf("publish: files: %w", err)
	}
	return nil
}
