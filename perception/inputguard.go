package perception

import (
	"perceive/camera"
	"perceive/camera/guard"
)

// InputGuard is camera/guard as a Guard of the pipeline.
type InputGuard struct{ *guard.Guard }

// statuses of the faults; the two lists are in one place so that a new fault is not forgotten.
var faultStatus = map[guard.Fault]Status{guard.Black: Black, guard.Saturated: Saturated, guard.Frozen: Frozen, guard.Blurred: Blurred}

// Check implements Guard.
func (g InputGuard) Check(f *camera.Frame) (Status, string) {
	fault, reason := g.Guard.Check(f)
	if fault == "" {
		return OK, ""
	}
	return faultStatus[fault], reason
}
