package dataset

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

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
