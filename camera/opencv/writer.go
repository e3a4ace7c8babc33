//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gocv.io/x/gocv"
	"golang.org/x/sys/unix"

	"perceive/camera"
)

// Containers that a video can be written to.
var videoExtensions = []string{".mp4", ".mov", ".mkv"}

// codecs in the order in which they are tried: H.264 plays everywhere and needs
// an FFmpeg with libx264 (Debian's has it); MPEG-4 part 2 is in every FFmpeg, and
// browsers do not play it.
var codecs = []string{"avc1", "mp4v"}

const (
	// reserve is left free on the disk: the encoder holds up to some 60 frames, and
	// they and the index must still be written when the rest stops.
	reserve = 32 << 20
	// checkEvery is how often free space is looked at, in frames.
	checkEvery = 8
)

// Writer writes a video. It belongs to one goroutine.
type Writer struct {
	path, part string
	codec      string
	w, h       int
	n          int
	out        *gocv.VideoWriter
	views      views
	fitter     Fitter
	fitted     []byte
	failed     error

	free func(dir string) (uint64, error) // replaced in tests
}

// CreateVideo starts a video of w×h pixels and fps frames a second (all frames
// last equally long) in a file that ends in .mp4, .mov or .mkv.
//
// It is written beside path under the name NAME.part.mp4 and gets its own name
// in Close, when it is complete: path never names half a video, and keeps what it
// named before if this one fails. H.264 needs even sizes; of an odd one the
// last row or column is left out.
func CreateVideo(path string, w, h int, fps float64) (*Writer, error) {
	wr, err := createVideo(path, w, h, fps, freeSpace)
	if err != nil {
		return nil, fmt.Errorf("opencv: write video %s: %w", path, err)
	}
	return wr, nil
}

func createVideo(path string, w, h int, fps float64, free func(dir string) (uint64, error)) (*Writer, error) {
	ext := filepath.Ext(path)
	if !slices.Contains(videoExtensions, strings.ToLower(ext)) {
		return nil, fmt.Errorf("the name must end in one of %s", strings.Join(videoExtensions, " "))
	}
	if w < 2 || h < 2 || w > 1<<14 || h > 1<<14 || !(fps > 0 && fps <= maxFPS) {
		return nil, fmt.Errorf("%d×%d pixels at %g frames a second: want 2 to 16384 pixels, above 0 to %d frames", w, h, fps, maxFPS)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, errors.New("this exists and is not a regular file")
	}
	wr := &Writer{path: path, part: strings.TrimSuffix(path, ext) + ".part" + ext, w: w, h: h, free: free}
	if err := wr.begin(); err != nil {
		return nil, err
	}
	quiet()
	for _, codec := range codecs {
		out, err := gocv.VideoWriterFileWithAPI(wr.part, gocv.VideoCaptureFFmpeg, codec, fps, w&^1, h&^1, true)
		if err == nil && out.IsOpened() {
			wr.out, wr.codec = out, codec
			return wr, nil
		}
		if out != nil {
			out.Close()
		}
	}
	os.Remove(wr.part)
	return nil, fmt.Errorf("OpenCV's FFmpeg offers no encoder for %s", strings.Join(codecs, " or "))
}

// begin makes sure that there is a file to write to. FFmpeg would only say no: the
// operating system says why.
func (wr *Writer) begin() error {
	f, err := os.Create(wr.part)
	if err != nil {
		return errors.Unwrap(err)
	}
	_, err = f.Write(make([]byte, 1<<12))
	if err = errors.Unwrap(cmp.Or(err, f.Close())); err == nil {
		err = wr.space()
	}
	if err != nil {
		os.Remove(wr.part)
	}
	return err
}

// Codec is the encoder in use, as a four-letter code.
func (wr *Writer) Codec() string { return wr.codec }

// Write appends h rows of w BGR pixels.
//
// An error (the disk is nearly full, say) ends the video: further calls return it
// again, and Close completes what was written up to it, readable.
func (wr *Writer) Write(bgr []byte) error {
	if wr.failed != nil {
		return wr.failed
	}
	if err := wr.write(bgr); err != nil {
		wr.failed = fmt.Errorf("opencv: write video %s: frame %d: %w", wr.path, wr.n, err)
		return wr.failed
	}
	wr.n++
	return nil
}

// WriteFrame appends a frame. One of another size than the video is letterboxed in black.
func (wr *Writer) WriteFrame(f *camera.Frame) error {
	if f.Width == wr.w && f.Height == wr.h && f.Stride == 3*f.Width {
		return wr.Write(f.Pix[:f.Height*f.Stride])
	}
	if wr.fitted == nil {
		wr.fitted = make([]byte, 3*wr.w*wr.h)
	}
	if _, err := wr.fitter.Fit(wr.fitted, wr.w, wr.h, 0, f); err != nil {
		return err
	}
	return wr.Write(wr.fitted)
}

func (wr *Writer) write(bgr []byte) error {
	if wr.out == nil {
		return fs.ErrClosed
	}
	if len(bgr) != 3*wr.w*wr.h {
		return fmt.Errorf("%d bytes, want %d×%d BGR pixels", len(bgr), wr.w, wr.h)
	}
	if wr.n%checkEvery == 0 {
		if err := wr.space(); err != nil {
			return err
		}
	}
	defer wr.views.done()
	m, err := wr.views.bgr(bgr, wr.w, wr.h, 3*wr.w)
	if err != nil {
		return err
	}
	if wr.w%2 != 0 || wr.h%2 != 0 {
		m = wr.views.region(m, image.Rect(0, 0, wr.w&^1, wr.h&^1))
	}
	return wr.out.Write(*m)
}

// space refuses to go on while the disk still has room for the end of the file.
// OpenCV drops FFmpeg's write errors, and an MP4 without its end is lost.
func (wr *Writer) space() error {
	free, err := wr.free(filepath.Dir(wr.part))
	if err == nil && free < reserve {
		return fmt.Errorf("%w: %d MiB are free and %d are kept for the end of the video", syscall.ENOSPC, free>>20, reserve>>20)
	}
	return nil // where free space cannot be asked for, Close looks at the result
}

func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// Close completes the file, checks that it is whole and gives it its name. Without
// a frame there is no video: the file is removed, which is an error. Closing twice is fine.
func (wr *Writer) Close() error {
	if wr.out == nil {
		return nil
	}
	wr.out.Close()
	wr.out = nil
	wr.fitter.Close()
	if err := wr.finish(); err != nil {
		os.Remove(wr.part)
		return fmt.Errorf("opencv: write video %s: %w", wr.path, err)
	}
	return nil
}

func (wr *Writer) finish() error {
	if wr.n == 0 {
		return errors.New("no frame was written, so there is no video")
	}
	f, err := os.OpenFile(wr.part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() < 1<<8 {
		return fmt.Errorf("%w: the encoder wrote %d bytes", camera.ErrTruncated, st.Size())
	}
	if err := checkContainer(f, st.Size()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(wr.part, wr.path)
}
