package models

import _ "embed"

// Road is the model file that ships with the program: pedestrian, car, stop sign and
// traffic light in a camera frame, 320×192, on any provider. How it was made is in its
// manifest, and how good it is in README.md.
//
//go:embed road.onnx
var Road []byte
