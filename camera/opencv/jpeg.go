//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"perceive/camera"
)

// known reports whether data begins like a file format that OpenCV reads, to tell a damaged
// picture from something else.
func known(data []byte) bool {
	for _, magic := range []string{"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "BM", "RIFF", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}

func isJPEG(data []byte) bool { return bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}) }

// Markers of a JPEG file, ITU-T T.81 table B.1.
const (
	jpegSOF0, jpegSOF15 = 0xc0, 0xcf
	jpegSOF2            = 0xc2 // the last one with plain Huffman coding
	jpegDHT             = 0xc4
	jpegJPG             = 0xc8
	jpegDAC             = 0xcc
	jpegRST0, jpegRST7  = 0xd0, 0xd7
	jpegEOI             = 0xd9
	jpegSOS             = 0xda
	jpegAPP14           = 0xee
)

// checkJPEG finds what OpenCV decodes without a word: a file that ends early (the
// missing rows come out grey, or hold what was in memory before) and four
// inks without a statement of how they are stored. It walks the markers and looks
// at no coefficient.
func checkJPEG(data []byte) error {
	adobe, inks, scans := false, 0, 0
	truncated := func() error {
		return fmt.Errorf("JPEG %w: no end marker in %d bytes", camera.ErrTruncated, len(data))
	}
	for at := 2; ; {
		// In a scan 0xff is followed by 0 or a restart marker; elsewhere segments
		// touch each other. Skipping to the next marker serves both.
		next := bytes.IndexByte(data[at:], 0xff)
		if next < 0 || at+next+1 >= len(data) {
			return truncated()
		}
		at += next + 1
		marker := data[at]
		switch {
		case marker == 0 || marker == 0xff || marker >= jpegRST0 && marker <= jpegRST7:
			if marker != 0xff {
				at++
			}
			continue
		case marker == jpegEOI:
			if scans == 0 {
				return fmt.Errorf("JPEG %w: it has headers and no pixels", camera.ErrTruncated)
			}
			return nil
		}
		if at+3 > len(data) {
			return truncated()
		}
		size := int(binary.BigEndian.Uint16(data[at+1:]))
		if size < 2 || at+1+size > len(data) {
			return truncated()
		}
		body := data[at+3 : at+1+size]
		at += 1 + size
		switch {
		case marker == jpegAPP14 && len(body) >= 12 && string(body[:5]) == "Adobe":
			adobe = true
		case marker >= jpegSOF0 && marker <= jpegSOF15 && marker != jpegDHT && marker != jpegJPG && marker != jpegDAC:
			if len(body) >= 6 {
				inks = int(body[5])
			}
			if n := leastBytes(marker, body); n > len(data) {
				return fmt.Errorf("JPEG %w: %d bytes cannot hold %d×%d pixels", camera.ErrTruncated, len(data),
					binary.BigEndian.Uint16(body[3:]), binary.BigEndian.Uint16(body[1:]))
			}
		case marker == jpegSOS:
			scans++
			if inks == 4 && !adobe {
				return fmt.Errorf("%w: a JPEG with four inks (CMYK) and no Adobe marker; save it as RGB", ErrUnsupported)
			}
		}
	}
}

// leastBytes is what the pixels of a frame header (T.81 figure B.3) need at least, 0 where
// that is not known. Huffman codes have a bit or more, and a block has one for its mean. Where
// damage hits the size, OpenCV would fill up to 3 GB with grey, for seconds, without a word.
func leastBytes(marker byte, body []byte) int {
	if marker > jpegSOF2 || len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return 0
	}
	h, w := int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	maxH, maxV, samples := 1, 1, 0
	for i := range int(body[5]) {
		ch, cv := int(body[7+3*i]>>4), int(body[7+3*i]&15)
		maxH, maxV, samples = max(maxH, ch), max(maxV, cv), samples+ch*cv
	}
	return w * h / (maxH * maxV) * samples / 64 / 8
}
