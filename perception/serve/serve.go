// Package serve is the on-vehicle daemon: cameras that are watched over, one honest result for
// each of their frames, outputs that cannot slow them down, and a face to the outside.
package serve
