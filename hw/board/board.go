// Package board says what the machine is and how it is: model, versions, power mode,
// temperatures, clocks, load, memory and throttling. What cannot be read is no reading,
// with a reason, and never 0. The frame path must not call it: a reading opens some
// dozens of files.
package board

import "time"

// Reader reads the board. Implementations may be called from one goroutine at a time.
type Reader interface {
	Read() Reading
}

// Reading is the state of the board at one time.
type Reading struct {
	Time  time.Time `json:"time"`
	Facts Facts     `json:"board"`
	// Zones are the temperatures, by name of the sensor, in the system's order.
	Zones []Zone `json:"zones"`
	CPU   Clock  `json:"cpu"`
	GPU   Clock  `json:"gpu"`
	// EMC is the memory controller's clock of a Jetson.
	EMC Clock `json:"emc"`
	// GPULoad is within 0..1.
	GPULoad   Optional[float64] `json:"gpu_load"`
	Memory    Memory            `json:"memory"`
	GPUMemory Memory            `json:"gpu_memory"` // of a discrete GPU
	PowerMode Optional[string]  `json:"power_mode"`
	// Throttling is what slows the board down now; an empty list says that nothing does.
	Throttling Optional[[]Throttle] `json:"throttling"`
	// OverCurrent counts the times that a Jetson was throttled for its supply since it
	// started.
	OverCurrent Optional[int64] `json:"over_current_events"`
	// Missing says why there is no reading, by the field's name in JSON.
	Missing map[string]string `json:"missing,omitempty"`
}

// Facts do not change while the program runs.
type Facts struct {
	Model   Optional[string] `json:"model"`
	Kernel  Optional[string] `json:"kernel"`
	L4T     Optional[string] `json:"l4t"`     // NVIDIA's Linux for Jetson, such as 36.4.3
	JetPack Optional[string] `json:"jetpack"` // the SDK that goes with it, such as 6.2
	Driver  Optional[string] `json:"driver"`  // NVIDIA's kernel driver
	GPU     Optional[string] `json:"gpu"`     // name of the GPU
}

// Zone is a temperature sensor.
type Zone struct {
	Name    string            `json:"name"`
	Celsius Optional[float64] `json:"celsius"`
	// Why there is no reading.
	Why string `json:"why,omitempty"`
}

// Clock is a frequency and what it is held below at present, in Hz. Of several cores it
// is the fastest.
type Clock struct {
	Hz  Optional[int64] `json:"hz"`
	Max Optional[int64] `json:"max_hz"`
}

// Memory is in bytes. Used is what cannot be had without swapping.
type Memory struct {
	Used  Optional[int64] `json:"used"`
	Total Optional[int64] `json:"total"`
}

// Throttle is something that slows the board down.
type Throttle struct {
	What string `json:"what"` // such as "gpu-throttle-alert"
	Why  string `json:"why"`  // such as "temperature"
}

// Miss notes why there is no reading.
func (r *Reading) Miss(field, why string) {
	if r.Missing == nil {
		r.Missing = map[string]string{}
	}
	r.Missing[field] = why
}

// Hottest is the highest temperature that was read, in °C, and where.
func (r *Reading) Hottest() (zone string, celsius Optional[float64]) {
	for _, z := range r.Zones {
		if z.Celsius.OK && (!celsius.OK || z.Celsius.Value > celsius.Value) {
			zone, celsius = z.Name, z.Celsius
		}
	}
	return zone, celsius
}
