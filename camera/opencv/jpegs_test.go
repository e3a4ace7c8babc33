//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"encoding/binary"
)

// How a four-ink JPEG says what its inks are: the transform byte of Adobe's APP14
// segment (Adobe technical note 5116), or nothing.
type adobe int

const (
	noAdobe   adobe = -1
	adobeCMYK adobe = 0
	adobeYCCK adobe = 2
)

// ycc turns amounts of ink, 255 is full, into the Y, Cb, Cr that a YCCK file holds
// (JFIF's formula with ink for light); k is stored inverted, as it is given.
func ycc(c, m, y, k byte) [4]byte {
	r, g, b := float64(c), float64(m), float64(y)
	return [4]byte{
		byte(0.299*r + 0.587*g + 0.114*b + 0.5),
		byte(128 - 0.168736*r - 0.331264*g + 0.5*b + 0.5),
		byte(128 + 0.5*r - 0.418688*g - 0.081312*b + 0.5),
		k,
	}
}

// inkJPEG writes a w×h baseline JPEG of four components that are the same everywhere.
// Go's encoder cannot, and with one value per component a block is one DC
// coefficient: quantiser 1, difference coded with 4-bit codes of equal length.
func inkJPEG(w, h int, ink [4]byte, a adobe) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xff, marker})
		binary.Write(&b, binary.BigEndian, uint16(len(body)+2))
		b.Write(body)
	}
	b.Write([]byte{0xff, 0xd8})
	if a != noAdobe {
		segment(jpegAPP14, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(a))...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(jpegSOF0, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 4,
		1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	// DC: twelve symbols (sizes 0 to 11) of 4 bits each. AC: one symbol, end of block, 1 bit.
	segment(jpegDHT, append([]byte{0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)...)
	segment(jpegDHT, append([]byte{0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0)...)
	segment(jpegSOS, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)

	var bits uint64
	var n int
	put := func(v, size int) {
		bits, n = bits<<size|uint64(v), n+size
		for ; n >= 8; n -= 8 {
			v := byte(bits >> (n - 8))
			b.WriteByte(v)
			if v == 0xff {
				b.WriteByte(0)
			}
		}
	}
	var last [4]int
	for range (w + 7) / 8 * ((h + 7) / 8) {
		for c := range ink {
			dc := 8 * (int(ink[c]) - 128)
			diff := dc - last[c]
			last[c] = dc
			size := 0
			for v := max(diff, -diff); v > 0; v >>= 1 {
				size++
			}
			put(size, 4)
			if diff < 0 {
				diff += 1<<size - 1
			}
			put(diff, size)
			put(0, 1) // end of block
		}
	}
	put(0x7f, 7) // pad with ones
	b.Write([]byte{0xff, jpegEOI})
	return b.Bytes()
}

// withOrientation puts an EXIF segment with an orientation (1 to 8) into a JPEG.
func withOrientation(jpg []byte, orientation uint16) []byte {
	var tiff bytes.Buffer
	tiff.WriteString("Exif\x00\x00MM\x00*\x00\x00\x00\x08")
	binary.Write(&tiff, binary.BigEndian, []uint16{1, 0x0112, 3, 0, 1, orientation, 0, 0, 0})
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(tiff.Len()+2))
	out = append(out, tiff.Bytes()...)
	return append(out, jpg[2:]...)
}
