package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"perceive/camera/opencv"
)

// stamp is what a kept picture is recognised by: where it comes from, and what its file
// was like. A rendered picture has a key and no file.
type stamp struct {
	Key   string `json:"key"`
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // nanoseconds
}

// stampsOf looks at a set's files as they are now. keyed: every picture has a key.
func stampsOf(set *Set) (stamps []stamp, keyed bool) {
	for _, it := range set.Items {
		if it.Pixels != nil {
			if it.Key == "" {
				return nil, false
			}
			stamps = append(stamps, stamp{Key: "drawn " + it.Key})
			continue
		}
		path, err := filepath.Abs(it.Path)
		if err != nil {
			return nil, false
		}
		s := stamp{Key: path, Size: -1} // no file; decoding says so
		if st, err := os.Stat(path); err == nil {
			s.Size, s.MTime = st.Size(), st.ModTime().UnixNano()
		}
		stamps = append(stamps, s)
	}
	return stamps, true
}

// cacheName is the same for the same pictures in the same shape, decoded by the same
// library, whatever became of their files since.
func cacheName(sh shape, stamps []stamp) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\nOpenCV %s\n", cacheMagic, sh.name, opencv.Version())
	for _, s := range stamps {
		fmt.Fprintln(sum, s.Key)
	}
	return hex.EncodeToString(sum.Sum(nil))[:20] + cacheSuffix
}

const cacheSuffix = ".pixels"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openFile maps the set's cache file, and makes it first unless there is one that holds
// what the files hold now.
func (c *Cache) openFile(ctx context.Context, opts CacheOptions, sh shape, stamps []stamp, bad []error) error {
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return cacheError(opts.Dir, err)
	}
	c.File = filepath.Join(opts.Dir, cacheName(sh, stamps))
	err := c.load(ctx, stamps, bad)
	switch {
	case err == nil:
		c.Reused = true
		return nil
	case ctx.Err() != nil:
		return err
	case errors.Is(err, fs.ErrNotExist):
		c.Reason = "decoded for the first time"
	default:
		c.Reason = "decoded anew: " + err.Error()
	}
	c.unmap()
	clear(bad)
	if err := c.build(ctx, opts.Progress, sh, stamps, bad); err != nil {
		return err
	}
	clear(bad)
	if err := c.load(ctx, stamps, bad); err != nil {
		return fmt.Errorf("cache %s, just written: %w", c.File, err)
	}
	return nil
}

// build decodes into a file that gets its name when it is complete.
func (c *Cache) build(ctx context.Context, progress func(int), sh shape, stamps []stamp, bad []error) error {
	dir, name := filepath.Split(c.File)
	sweep(dir)
	f, err := renameio.NewPendingFile(c.File, renameio.WithTempDir(dir), renameio.WithPermissions(0o644))
	if err != nil {
		return cacheError(dir, err)
	}
	defer f.Cleanup()
	if _, err := f.WriteString(cacheMagic); err != nil {
		return cacheError(dir, err)
	}
	var end atomic.Int64
	end.Store(int64(len(cacheMagic)))
	index := cacheIndex{What: sh.name, Pictures: make([]cachedPicture, len(stamps))}
	if err := c.decode(ctx, progress, sh, bad, func(i int, p *picture) error {
		n := int64(len(p.bgr))
		at := end.Add(n) - n
		index.Pictures[i] = cachedPicture{W: p.w, H: p.h, FileW: p.fw, FileH: p.fh, Scale: p.scale, At: at, Sum: crc32.Checksum(p.bgr, castagnoli)}
		_, err := f.WriteAt(p.bgr, at)
		*p = picture{}
		return cacheError(dir, err)
	}); err != nil {
		return err
	}
	for i := range stamps {
		index.Pictures[i].stamp = stamps[i]
		if bad[i] != nil {
			index.Pictures[i].Bad, index.Pictures[i].Missing = bad[i].Error(), errors.Is(bad[i], fs.ErrNotExist)
		}
	}
	tail, err := index.marshal(end.Load())
	if err != nil {
		return fmt.Errorf("cache %s: %w", name, err)
	}
	if _, err := f.WriteAt(tail, end.Load()); err != nil {
		return cacheError(dir, err)
	}
	return cacheError(dir, f.CloseAtomicallyReplace())
}

// abandoned is the age from which on a half written file is nobody's: a writer writes all
// the time.
const abandoned = time.Hour

// sweep removes what programs that were killed have left half written.
func sweep(dir string) {
	half, _ := filepath.Glob(filepath.Join(dir, ".*"+cacheSuffix+"*"))
	for _, path := range half {
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && time.Since(st.ModTime()) > abandoned {
			os.Remove(path)
		}
	}
}

// cacheError says what to do where a folder cannot hold a cache.
func cacheError(dir string, err error) error {
	if err == nil {
		return nil
	}
	do := "name a folder that can be written with --cache DIR"
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		do = "free some space, or name a folder with more of it with --cache DIR"
	}
	return fmt.Errorf("cache in %s: %w: %s, or keep the pictures in memory with --cache off", strings.TrimSuffix(dir, "/"), err, do)
}

// load maps the cache's file. An error says why it cannot be used: it is not there, it is
// damaged, or what it was made from has changed.
func (c *Cache) load(ctx context.Context, stamps []stamp, bad []error) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() < int64(len(cacheMagic))+trailerSize {
		return fmt.Errorf("the cache file is cut short: %d bytes", st.Size())
	}
	if c.mapped, err = unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("mapping the cache file: %w", err)
	}
	index, err := parseIndex(c.mapped)
	if err != nil {
		return err
	}
	if len(index.Pictures) != len(stamps) {
		return fmt.Errorf("the cache file holds %d pictures, not %d", len(index.Pictures), len(stamps))
	}
	for i, p := range index.Pictures {
		if p.stamp != stamps[i] {
			return fmt.Errorf("%s has changed", stamps[i].Key)
		}
		if p.Bad != "" {
			bad[i] = keptError{p.Bad, p.Missing}
			continue
		}
		c.pix[i] = picture{p.W, p.H, p.FileW, p.FileH, p.Scale, c.mapped[p.At:][:3*p.W*p.H]}
	}
	return c.verify(ctx, index)
}

// keptError is why a picture could not be decoded when the cache was made.
type keptError struct {
	text    string
	missing bool
}

func (e keptError) Error() string { return e.text }

func (e keptError) Is(target error) bool { return e.missing && target == fs.ErrNotExist }

// verify compares all pixels with their check sums: a disk that lies would teach noise.
// It reads at the disk's speed, and what it reads stays in memory for the first epoch.
func (c *Cache) verify(ctx context.Context, index *cacheIndex) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(c.pix) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if p := &index.Pictures[i]; p.Bad == "" && crc32.Checksum(c.pix[i].bgr, castagnoli) != p.Sum {
					return fmt.Errorf("the cache file is damaged in %s", p.Key)
				}
			}
		})
	}
	return g.Wait()
}

func (c *Cache) unmap() error {
	clear(c.pix)
	m := c.mapped
	c.mapped = nil
	if m == nil {
		return nil
	}
	return unix.Munmap(m)
}

// Close lets go of the pictures; nothing may be using them any more. It may be called
// twice.
func (c *Cache) Close() error {
	if err := c.unmap(); err != nil {
		return fmt.Errorf("dataset: closing the cache: %w", err)
	}
	return nil
}
