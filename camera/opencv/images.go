//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/maruel/natural"
	"gocv.io/x/gocv"

	"perceive/camera"
)

// extensions are the files of a folder that count as pictures, in lower case.
var extensions = []string{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".jp2"}

// maxFile is more than a picture of OpenCV's largest size (2³⁰ pixels) usually takes.
const maxFile = 1 << 30

var errNotRegular = errors.New("this is not a regular file")

// images reads single pictures.
type images struct {
	info  camera.Info
	paths []string
	pool  *pool
	next  int
	end   error
}

// OpenImages opens a folder, a glob or one picture with the zero Options.
func OpenImages(pattern string) (camera.Source, error) { return Options{}.OpenImages(pattern) }

// OpenImages opens the pictures of a folder (by extension, not its sub-folders),
// all files that a glob matches, or a single picture. Numbers in names count as
// numbers: frame2 comes before frame10.
//
// Each file is one frame, and one sequence number: what cannot be decoded (see
// Decode) is a *camera.FrameError that names the file, and reading goes on with
// the next. Frames are stamped at Options.FPS; pictures may differ in size.
func (o Options) OpenImages(pattern string) (camera.Source, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("opencv: images %s: %w", pattern, err)
	}
	paths, err := list(pattern)
	if err != nil {
		return nil, fmt.Errorf("opencv: images %s: %w", pattern, err)
	}
	fps := o.FPS
	if fps == 0 {
		fps = defaultImageFPS
	}
	return &images{
		paths: paths,
		pool:  newPool(o.buffers()),
		info: camera.Info{
			URI: pattern, Kind: "images", FPS: fps, Frames: len(paths),
			Backend: "pictures through OpenCV " + gocv.OpenCVVersion(),
		},
	}, nil
}

// list finds the pictures that pattern means, in natural order.
func list(pattern string) ([]string, error) {
	var paths []string
	switch st, err := os.Stat(pattern); {
	case err == nil && st.IsDir():
		entries, err := os.ReadDir(pattern)
		if err != nil {
			return nil, errors.Unwrap(err)
		}
		for _, e := range entries {
			if !e.IsDir() && isPicture(e.Name()) {
				paths = append(paths, filepath.Join(pattern, e.Name()))
			}
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("no pictures in this folder (%s)", strings.Join(extensions, " "))
		}
	case err == nil:
		return []string{pattern}, nil
	case !strings.ContainsAny(pattern, `*?[`):
		return nil, errors.Unwrap(err)
	default:
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if st, err := os.Stat(p); err != nil || !st.IsDir() {
				paths = append(paths, p)
			}
		}
		if len(paths) == 0 {
			return nil, errors.New("no file matches")
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		switch {
		case natural.Less(a, b):
			return -1
		case natural.Less(b, a):
			return 1
		}
		return cmp.Compare(a, b) // 1 and 01 are equal as numbers
	})
	return paths, nil
}

func (im *images) Info() camera.Info { return im.info }

// Next implements camera.Source.
func (im *images) Next(ctx context.Context) (*camera.Frame, error) {
	if im.end != nil {
		return nil, im.end
	}
	if im.next == len(im.paths) {
		im.end = io.EOF
		return nil, im.end
	}
	s, err := im.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	seq, path := im.next, im.paths[im.next]
	im.next++
	at := time.Duration(float64(seq) / im.info.FPS * float64(time.Second))
	if err := s.load(path); err != nil {
		im.pool.put(s)
		return nil, &camera.FrameError{Seq: uint64(seq), Time: at, Name: path, Err: err}
	}
	s.frame.Seq, s.frame.Time, s.frame.Captured = uint64(seq), at, time.Now()
	return s.frame, nil
}

// load reads and decodes a file into the slot.
func (s *slot) load(path string) error {
	// A pipe or a device would be read for ever, and a film into memory.
	switch st, err := os.Stat(path); {
	case err != nil:
		return errors.Unwrap(err)
	case !st.Mode().IsRegular():
		return errNotRegular
	case st.Size() > maxFile:
		return fmt.Errorf("%w: %d MiB, and at most %d are read", ErrUnsupported, st.Size()>>20, maxFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return errors.Unwrap(err)
	}
	return s.decode(data)
}

// decode decodes the bytes of a picture file into the slot.
func (s *slot) decode(data []byte) error {
	s.mat.Close()
	s.mat = gocv.NewMat()
	if err := decode(data, &s.mat); err != nil {
		return err
	}
	return s.show()
}

// Close implements camera.Source. Frames that are still lent stay readable until
// their Release.
func (im *images) Close() error {
	im.pool.close()
	im.end = fmt.Errorf("opencv: images %s: %w", im.info.URI, errClosed)
	return nil
}
