package hil

import "time"

// Observed is everything that was seen of the unit.
type Observed struct {
	Results []Result `json:"results"`
	Notes   []Note   `json:"notes"`
	Polls   []Poll   `json:"polls"`
}

// Result is one result as the unit published it.
type Result struct {
	Got    time.Time `json:"got"`
	Source string    `json:"source"`
	Seq    uint64    `json:"seq"`
	Status string    `json:"status"`
	Reason string    `json:"reason,omitempty"`
	// Code is the number that the unit read in the picture, nil if there was none.
	Code *uint32 `json:"code,omitempty"`
	// Life counts the unit's processes: sequence numbers begin again with each.
	Life   int               `json:"life"`
	States map[string]string `json:"states,omitempty"`
}

// Note is something that the unit said beside its results: a camera's state, a problem.
type Note struct {
	Got    time.Time `json:"got"`
	Source string    `json:"source,omitempty"`
	What   string    `json:"what"`
	Reason string    `json:"reason,omitempty"`
}

// Poll is what the unit's status page said, or that it did not answer. Got is when that was known.
type Poll struct {
	Got      time.Time `json:"got"`
	Answered bool      `json:"answered"`
	Ready    bool      `json:"ready"`
	Healthy  bool      `json:"healthy"`
	Problems []string  `json:"problems,omitempty"`
	// Dropped counts the lines that each output did not get rid of.
	Dropped map[string]uint64 `json:"dropped,omitempty"`
	// RSS is the process's memory in bytes, 0 where it cannot be read.
	RSS int64 `json:"rss,omitempty"`
	// CPU is the processor time that the process has used, seconds.
	CPU float64 `json:"cpu,omitempty"`
}
