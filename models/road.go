package models

import _ "embed"

// Road is the model file that ships with the program: pedestrian, car, stop sign and
// traffic light in a camera frame, in float32, on any provider. How it was made is in its
// manifest, and how good it is in README.md.
//
//go:embed road.onnx
var Road []byte

// RoadInt8 is Road in 8-bit numbers, for processors: less than half the time of a frame on
// one that multiplies them at once (VNNI, or Arm's dot product).
//
//go:embed road-int8.onnx
var RoadInt8 []byte

// BuiltIn lists the model files that ship, by name, the default first.
func BuiltIn() []Shipped { return []Shipped{{"road", Road}, {"road-int8", RoadInt8}} }

// Shipped is a model file that ships with the program.
type Shipped struct {
	Name string
	File []byte
}

// Find is the file that ships under a name; nil if none does.
func Find(name string) []byte {
	for _, s := range BuiltIn() {
		if s.Name == name {
			return s.File
		}
	}
	return nil
}
