//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"perceive/camera"
)

// box is an MP4 box that says it has length bytes; 8 and filled are there.
func box(kind string, length uint32, filled int) string {
	return string(binary.BigEndian.AppendUint32(nil, length)) + kind + strings.Repeat("x", filled)
}

func riff(length uint32, filled int) string {
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, length)) + "AVI " + strings.Repeat("x", filled)
}

// What a container says about its own length, by hand from the specifications.
func TestCheckContainer(t *testing.T) {
	// An EBML header of 3 bytes, and a segment whose size of 8 bytes follows.
	segment := func(size string, filled int) string {
		return "\x1a\x45\xdf\xa3\x83abc\x18\x53\x80\x67" + size + strings.Repeat("x", filled)
	}
	large := "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x20" + strings.Repeat("x", 16)
	for _, tc := range []struct {
		name, text string
		cut        bool
	}{
		{"short", "RIFF", false},
		{"something else", strings.Repeat("hello ", 9), false},
		{"mp4", box("ftyp", 16, 8) + box("moov", 12, 4) + box("mdat", 20, 12), false},
		{"mp4 to the end of the file", box("moov", 16, 8) + box("mdat", 0, 50), false},
		{"mp4 with a box of 64-bit size", box("moov", 16, 8) + large, false},
		{"mp4 with something behind it", box("moov", 16, 8) + "\x00\x00\x00\x02\x00\x00\x00\x00 whatever", false},
		{"mp4 with letters that are none behind it", box("moov", 16, 8) + "\x00\x01\x00\x00\x01\x02\x03\x04", false},
		{"mp4 cut", box("moov", 16, 8) + box("mdat", 20, 11), true},
		{"mp4 cut in a box of 64-bit size", box("moov", 16, 8) + large[:len(large)-1], true},
		{"mp4 without index", box("ftyp", 16, 8) + box("mdat", 20, 12), true},
		{"avi", riff(24, 20), false},
		{"avi of two chunks", riff(24, 20) + riff(8, 4), false},
		{"avi of an odd chunk and another", riff(23, 19) + "\x00" + riff(8, 4), false},
		{"avi without size", riff(0, 20), false},
		{"avi of unknown size", riff(1<<32-1, 20), false},
		{"avi with something behind it", riff(24, 20) + "idx is not here", false},
		{"avi cut", riff(24, 19), true},
		{"avi cut in its second chunk", riff(24, 20) + riff(8, 3), true},
		{"mkv", segment("\x01\x00\x00\x00\x00\x00\x00\x08", 8), false},
		{"mkv with a short size", segment("\x88", 8), false},
		{"mkv of unknown size", segment("\x01\xff\xff\xff\xff\xff\xff\xff", 30), false},
		{"mkv with a size that is none", segment("\x00\x00\x00\x00\x00\x00\x00\x00", 8), false},
		{"mkv cut", segment("\x01\x00\x00\x00\x00\x00\x00\x09", 8), true},
		{"mkv cut in its header", segment("", 0) + "\x01\x00\x00\x00\x00", true},
		{"ebml of another kind", "\x1a\x45\xdf\xa3\x83abcABCDEFGHIJKLMNOP", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := checkContainer(strings.NewReader(tc.text), int64(len(tc.text)))
			if errors.Is(err, camera.ErrTruncated) != tc.cut || err != nil && !tc.cut {
				t.Errorf("%v, want cut short %v", err, tc.cut)
			}
		})
	}
}
