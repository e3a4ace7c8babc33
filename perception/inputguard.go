package perception

import (
	"perceive/camera"
	"perceive/camera/guard"
)

// InputGuard is a Guard that keeps pictures with nothing to go by from the network.
type InputGuard struct{ guard *guard.Guard }

// NewInputGuard makes the guard of one source. The error names the keys that are out of range.
func NewInputGuard(c guard.Config) (*InputGuard, error) {
	g, err := guard.New(c)
	if err != nil {
		return nil, err
	}
	return &InputGuard{guard: g}, nil
}

var faults = map[guard.Fault]Status{
	guard.None: OK, guard.Black: Black, guard.Saturated: Saturated, guard.Frozen: Frozen, guard.Blurred: Blurred,
}

// Check implements Guard.
func (g *InputGuard) Check(f *camera.Frame) (Status, string) {
	fault, reason := g.guard.Check(f)
	return faults[fault], reason
}
