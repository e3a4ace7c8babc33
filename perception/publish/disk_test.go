package publish_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"perceive/perception/publish"
)

// disk is one whose room can be taken away. It keeps what it has in memory.
type disk struct {
	mu      sync.Mutex
	files   map[string][]byte
	room    int
	cutting bool // Truncate fails, too
}

type diskFile struct {
	d    *disk
	name string
}

func (d *disk) MkdirAll(string) error { return nil }
func (d *disk) Names(string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.files {
		names = append(names, filepath.Base(name))
	}
	return names, nil
}
func (d *disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room += len(d.files[path])
	delete(d.files, path)
	return nil
}
func (d *disk) Create(path string) (publish.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.files[path]; there {
		return nil, os.ErrExist
	}
	d.files[path] = nil
	return diskFile{d, path}, nil
}
func (d *disk) set(room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = room
}

func (f diskFile) Write(b []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	n := min(len(b), f.d.room)
	f.d.room -= n
	f.d.files[f.name] = append(f.d.files[f.name], b[:n]...)
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}
func (f diskFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.cutting {
		return syscall.EIO
	}
	f.d.room += len(f.d.files[f.name]) - int(size)
	f.d.files[f.name] = f.d.files[f.name][:size]
	return nil
}
func (f diskFile) Sync() error  { return nil }
func (f diskFile) Close() error { return nil }

// save puts the disk's files into a real folder, for those that read paths.
func (d *disk) save(t testing.TB) []string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := t.TempDir()
	for name, b := range d.files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return list(t, dir)
}
