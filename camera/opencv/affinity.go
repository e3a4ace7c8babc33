//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onCPUs runs f so that the threads that it starts stay on n of the processors that
// this thread may use: threads inherit their starter's processors. It is how a video
// decoder is limited where OpenCV has no setting for it; whether it could, it says.
func onCPUs(n int, f func()) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, few unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || n >= all.Count() {
		f()
		return n >= all.Count()
	}
	// The last ones: interrupts and the rest of the system tend to the first.
	for cpu := len(all)*64 - 1; cpu >= 0 && few.Count() < n; cpu-- {
		if all.IsSet(cpu) {
			few.Set(cpu)
		}
	}
	ok := unix.SchedSetaffinity(0, &few) == nil
	defer unix.SchedSetaffinity(0, &all)
	f()
	return ok
}
