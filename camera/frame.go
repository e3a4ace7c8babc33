// Package camera is the vocabulary of frames: what a frame is, who owns it, and
// what a source of frames promises. It has no native code; the sources are in
// the packages below it (camera/opencv, camera/scene).
package camera

import "time"

// Frame is one picture as a camera or a recording delivered it: 8 bits a
// channel, blue-green-red interleaved, rows from the top.
//
// Ownership: whoever got a Frame from Source.Next owns it until Release, once;
// after Release the pixels belong to the next frame. A source lends a bounded
// number of frames, so a frame that is kept for ever stops its source.
type Frame struct {
	// Seq counts the frames of a source from 0. It has no gaps: a frame that
	// could not be read takes its number too (see FrameError).
	Seq uint64
	// Time is the position in the recording, or the time since a live source
	// was opened. It is what results are stamped with, so that a replay says
	// what the drive said.
	Time time.Duration
	// Captured is when the frame was taken over from the camera or the decoder: a monotonic
	// reading and the wall time in one (see package time).
	Captured time.Time
	// Stamp is the time that the source gave the frame, since an epoch of its own, and
	// Clock says whose time that is. Both are zero where the source gives none.
	Stamp time.Duration
	Clock Clock
	// Width and Height are in pixels, Stride is the length of a row in bytes.
	Width, Height, Stride int
	// Pix holds Height rows of Stride bytes: len(Pix) >= Height*Stride.
	Pix []byte

	release func(*Frame)
}

// NewFrame makes a frame whose pixels are ordinary Go memory and that calls
// release, which may be nil, when its owner lets go of it.
func NewFrame(width, height int, release func(*Frame)) *Frame {
	return &Frame{
		Width: width, Height: height, Stride: 3 * width,
		Pix:     make([]byte, 3*width*height),
		release: release,
	}
}

// WrapFrame makes an empty frame for a source that fills in geometry and pixels
// from memory of its own before it lends the frame.
func WrapFrame(release func(*Frame)) *Frame { return &Frame{release: release} }

// Release gives the frame back to its source. The pixels must not be touched
// afterwards.
func (f *Frame) Release() {
	if f.release != nil {
		f.release(f)
	}
}
