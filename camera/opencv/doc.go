//go:build gocv_specific_modules && gocv_videoio

// Package opencv is the project's door to OpenCV through GoCV: video files and
// folders of pictures as camera.Source, decoding of single pictures, the
// letterbox in front of a network, and writing of annotated video.
//
// It is the only package that imports GoCV, and no GoCV value appears in what
// it exports: pixels come in and go out as bytes, 8 bits a channel,
// blue-green-red interleaved, rows from the top.
//
// Build it with the tags that the Makefile sets in GOFLAGS; tags.go says so to
// whoever forgets them.
package opencv
