package camera

import (
	"errors"
	"time"
)

// Why a live source took a frame and did not hand it over; each comes as a FrameError, so
// that every frame that was captured is accounted for.
var (
	// ErrDropped: a newer frame came before this one was asked for.
	ErrDropped = errors.New("dropped: a newer frame came before this one's turn")
	// ErrStale: the frame waited, or was on its way, longer than the source's maximum age.
	ErrStale = errors.New("stale: older than its source allows")
)

// Clock says whose clock a frame's Stamp is of.
type Clock string

// The clocks.
const (
	// NoClock: the source gives no times; Stamp is zero.
	NoClock Clock = ""
	// ContainerClock: presentation times of a recording or a stream's container.
	ContainerClock Clock = "container"
	// KernelClock: the driver's time of the frame's arrival in memory (V4L2, CLOCK_MONOTONIC).
	KernelClock Clock = "kernel"
	// HeaderClock: what the sender wrote beside the picture (X-Timestamp of MJPEG over HTTP).
	HeaderClock Clock = "header"
	// SceneClock: the time in a rendered world.
	SceneClock Clock = "scene"
)

// State is what a live source is doing.
type State string

// The states. A source starts with Connecting; Streaming begins with the first frame.
const (
	Connecting State = "connecting"
	Streaming  State = "streaming"
	// Stalled: connected, and no frame came for longer than the source allows.
	Stalled State = "stalled"
	// Lost: the connection is gone; the next attempt comes after a pause.
	Lost State = "lost"
)

// Event is a change of a live source's state.
type Event struct {
	Time  time.Time
	State State
	// Reason says why, for a person: the error that ended a connection, or the geometry
	// that a new one has and the last one had not.
	Reason string
	// Attempt counts the tries to connect since frames last came, from 1.
	Attempt int
	// Backoff is the pause before the next attempt, in state Lost.
	Backoff time.Duration
	// Blocked says, in state Lost, that no connection is tried: reads that were given up still
	// block in native code, as many as are allowed. Only another process helps if they go on to.
	Blocked bool
}

// Counts is what became of a live source's frames. Captured is always the sum of the others.
type Counts struct {
	Captured uint64 `json:"captured"`
	// Delivered were handed over by Next; Dropped, Stale and Unreadable came as FrameErrors.
	Delivered  uint64 `json:"delivered"`
	Dropped    uint64 `json:"dropped"`
	Stale      uint64 `json:"stale"`
	Unreadable uint64 `json:"unreadable"`
	// Waiting were captured and not yet asked for.
	Waiting uint64 `json:"waiting"`
}

// Live is a source that watches over a camera: it connects again when the camera fails, and
// says what it is doing.
type Live interface {
	Source
	// Counts may be called from any goroutine.
	Counts() Counts
	// State is the latest event, from any goroutine.
	State() Event
}
