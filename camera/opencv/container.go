//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"perceive/camera"
)

// checkContainer looks at the outermost structure of a recording of size bytes
// and returns an error that wraps camera.ErrTruncated when that structure says
// that bytes are missing. What it does not know passes: it never guesses.
//
// The frame count in a container cannot tell: measured on whole files, it claimed
// 221 frames for 152 (MP4 cut without re-encoding: an edit list hides the rest),
// 442 for 221 (AVI with B-frames) and 90 for 13 (Matroska of varying rate).
func checkContainer(r io.ReaderAt, size int64) error {
	var head [16]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) {
		return nil
	}
	switch {
	case isBox(head[:]):
		return checkMP4(r, size)
	case string(head[:4]) == "RIFF":
		return checkRIFF(r, size)
	case binary.BigEndian.Uint32(head[:]) == ebmlHeader:
		return checkMatroska(r, size)
	}
	return nil
}

func missing(what string, n int64) error {
	return fmt.Errorf("%w: %s should go on for %d bytes more", camera.ErrTruncated, what, n)
}

// isBox reports whether head begins like an MP4 or QuickTime file, ISO/IEC 14496-12.
func isBox(head []byte) bool {
	switch string(head[4:8]) {
	case "ftyp", "moov", "mdat", "wide", "free", "skip", "pnot":
		return true
	}
	return false
}

// checkMP4 walks the outermost boxes: 32 bits of size, 4 letters, and 64 bits of
// size if the first one is 1; 0 means to the end of the file.
func checkMP4(r io.ReaderAt, size int64) error {
	index := false
	for at := int64(0); at+8 <= size; {
		var head [16]byte
		n, _ := r.ReadAt(head[:], at)
		length := int64(binary.BigEndian.Uint32(head[:]))
		kind := string(head[4:8])
		if length == 1 && n == len(head) {
			length = int64(binary.BigEndian.Uint64(head[8:]))
		}
		index = index || kind == "moov"
		if length == 0 {
			break
		}
		if length < 8 || !letters(kind) {
			return nil // something was appended that is no box; players ignore it too
		}
		if length > size-at {
			return missing("its "+kind+" box", length-(size-at))
		}
		at += length
	}
	if !index {
		return fmt.Errorf("%w: it has no index (moov box), which is written when a recording is finished", camera.ErrTruncated)
	}
	return nil
}

func letters(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// checkRIFF walks the outermost chunks of an AVI; large ones have several.
func checkRIFF(r io.ReaderAt, size int64) error {
	for at := int64(0); at+8 <= size; {
		var head [8]byte
		r.ReadAt(head[:], at)
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) != "RIFF" || length == 0 || length == 1<<32-1 {
			return nil // not a chunk, or a recorder that never filled in the size
		}
		if length > size-at-8 {
			return missing("its RIFF chunk", length-(size-at-8))
		}
		at += 8 + length + length%2
	}
	return nil
}

// Element identifiers of Matroska, RFC 9559.
const (
	ebmlHeader      = 0x1a45dfa3
	matroskaSegment = 0x18538067
)

// checkMatroska compares the segment's size with the file's; live recordings say
// that theirs is unknown.
func checkMatroska(r io.ReaderAt, size int64) error {
	at := int64(4)
	length, n := vint(r, at)
	at += n + length
	if n == 0 || length < 0 {
		return nil
	}
	var id [4]byte
	if _, err := r.ReadAt(id[:], at); err != nil || at+12 > size {
		return fmt.Errorf("%w: it ends in its header", camera.ErrTruncated)
	}
	if binary.BigEndian.Uint32(id[:]) != matroskaSegment {
		return nil
	}
	length, n = vint(r, at+4)
	at += 4 + n
	if n > 0 && length > size-at {
		return missing("its segment", length-(size-at))
	}
	return nil
}

// vint reads a size of variable length, RFC 8794 section 4: as many leading zero bits as
// bytes follow. It returns -1 for "unknown" (all ones), and 0 bytes if there is none.
func vint(r io.ReaderAt, at int64) (v, n int64) {
	var b [8]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return 0, 0
	}
	n = int64(bits.LeadingZeros8(b[0])) + 1
	if n > 8 {
		return 0, 0
	}
	u := binary.BigEndian.Uint64(b[:]) >> (64 - 8*n)
	mask := uint64(1)<<(7*n) - 1
	if u&mask == mask {
		return -1, n
	}
	return int64(u & mask), n
}
