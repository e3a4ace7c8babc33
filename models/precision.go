package models

// Precision says how a file's numbers were made smaller, and what that cost. A file in
// fp32 as it was trained has none.
type Precision struct {
	// Type is "fp16" or "int8".
	Type string `json:"type"`
	// Source is the SHA-256 of the graph in fp32 that the file was made from.
	Source string `json:"source_sha256"`
	// Target is the runtime whose kernels an int8 file is made for: "cpu" or "tensorrt".
	Target string `json:"target,omitempty"`
	// Ranges says how the ranges of int8 activations were chosen, of the values on Frames
	// pictures.
	Ranges string `json:"ranges,omitempty"`
	Frames int    `json:"frames,omitempty"`
	// Float are the layers left in fp32 because the file would have been refused otherwise;
	// of fp16, the operators.
	Float []string `json:"float,omitempty"`

	// Compared is the number of pictures on which the file was held against its source;
	// Max and Mean are the differences of probabilities, Flips the changed decisions by
	// label.
	Compared int            `json:"compared"`
	Max      float64        `json:"max"`
	Mean     float64        `json:"mean"`
	Flips    map[string]int `json:"flips,omitempty"`
	// Drop is what each label's ROC AUC lost, in points of a hundred, and Data where.
	Drop map[string]float64 `json:"drop,omitempty"`
	Data string             `json:"data,omitempty"`
}
