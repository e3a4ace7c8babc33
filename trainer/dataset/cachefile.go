package dataset

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

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
