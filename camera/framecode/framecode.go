// Package framecode writes a number into the pixels of a frame and reads it again at the other
// end of a camera, a cable or a network, so that a bench knows which frame a result is about.
//
// The code is a strip of black and white cells at the top left of the picture: a border, the
// number's 32 bits, and a checksum of 8, in rows of 12. It survives JPEG and a change of size.
package framecode

import (
	"perceive/camera"
)

const (
	columns = 12
	rows    = 6 // border, four rows of ten bits, border
	bits    = 32
	check   = 8
	// across is how many cells would fill the width of the picture: the strip takes a fifth.
	across = 60
	// contrast is the least difference between black and white, of 255.
	contrast = 60
)

// Write draws n. A frame narrower than 240 pixels or lower than 48 is too small to hold it and
// is left alone.
func Write(f *camera.Frame, n uint32) {
	size, ok := cell(f)
	if !ok {
		return
	}
	word := uint64(n)<<check | uint64(sum(n))
	for row := range rows {
		for col := range columns {
			fill(f, col*size, row*size, size, light(row, col, word))
		}
	}
}

// Read reads the number; ok is false where there is none, or it is damaged. It allocates nothing.
func Read(f *camera.Frame) (n uint32, ok bool) {
	size, ok := cell(f)
	if !ok {
		return 0, false
	}
	// The border tells black from white: its cells take turns.
	var white, black, whites, blacks int
	for row := range rows {
		for col := range columns {
			if !border(row, col) {
				continue
			}
			if v := level(f, col*size, row*size, size); light(row, col, 0) {
				white, whites = white+v, whites+1
			} else {
				black, blacks = black+v, blacks+1
			}
		}
	}
	white, black = white/whites, black/blacks
	if white-black < contrast {
		return 0, false
	}
	middle := (white + black) / 2
	var word uint64
	for row := range rows {
		for col := range columns {
			lit := level(f, col*size, row*size, size) > middle
			if border(row, col) {
				if lit != light(row, col, 0) {
					return 0, false
				}
				continue
			}
			word <<= 1
			if lit {
				word |= 1
			}
		}
	}
	n = uint32(word >> check)
	return n, sum(n) == uint8(word)
}

// cell is the side of a cell in pixels.
func cell(f *camera.Frame) (int, bool) {
	size := f.Width / across
	return size, size >= 4 && rows*size <= f.Height
}

func border(row, col int) bool {
	return row == 0 || row == rows-1 || col == 0 || col == columns-1
}

// light is whether a cell is white: the border takes turns, the inside has the word's bits from
// the highest.
func light(row, col int, word uint64) bool {
	if border(row, col) {
		return (row+col)%2 == 0
	}
	i := (row-1)*(columns-2) + col - 1
	return word>>(bits+check-1-i)&1 == 1
}

// sum is a checksum (CRC-8, polynomial x⁸+x²+x+1) of the number's bytes, never that of an
// all-black strip.
func sum(n uint32) uint8 {
	c := uint8(0xff)
	for i := 24; i >= 0; i -= 8 {
		c ^= uint8(n >> i)
		for range 8 {
			if c&0x80 != 0 {
				c = c<<1 ^ 0x07
			} else {
				c <<= 1
			}
		}
	}
	return c
}

// fill paints a cell.
func fill(f *camera.Frame, x, y, size int, white bool) {
	var v byte = 16
	if white {
		v = 235
	}
	for r := y; r < y+size; r++ {
		row := f.Pix[r*f.Stride+3*x:][:3*size]
		for i := range row {
			row[i] = v
		}
	}
}

// level is the mean of the green channel in the middle of a cell.
func level(f *camera.Frame, x, y, size int) int {
	m := size / 4
	total, n := 0, 0
	for r := y + m; r < y+size-m; r++ {
		for c := x + m; c < x+size-m; c++ {
			total += int(f.Pix[r*f.Stride+3*c+1])
			n++
		}
	}
	return total / n
}
