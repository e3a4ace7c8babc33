package board

import (
	"fmt"
	"path"
	"strings"
)

// offline is what a Jetson's sensor says whose part is powered down, in thousandths of a
// degree; sane temperatures are the others.
const (
	offline = -256000
	coldest = -60_000
	hottest = 200_000
)

// temperatures reads the thermal zones, and of boards without them hardware monitors.
func (t tree) temperatures(r *Reading) {
	for _, dir := range t.glob("sys/class/thermal/thermal_zone*") {
		name, err := t.text(path.Join(dir, "type"))
		if err != nil {
			name = path.Base(dir)
		}
		r.Zones = append(r.Zones, t.zone(name, path.Join(dir, "temp")))
	}
	if r.Zones == nil {
		for _, file := range t.glob("sys/class/hwmon/hwmon*/temp*_input") {
			chip, err := t.text(path.Join(path.Dir(file), "name"))
			if err != nil {
				chip = path.Base(path.Dir(file))
			}
			sensor, err := t.text(strings.TrimSuffix(file, "_input") + "_label")
			if err != nil {
				sensor = strings.TrimSuffix(path.Base(file), "_input")
			}
			r.Zones = append(r.Zones, t.zone(chip+" "+sensor, file))
		}
	}
	if r.Zones == nil {
		r.Miss("zones", "no sensor in /sys/class/thermal and /sys/class/hwmon: a virtual machine has none")
	}
}

func (t tree) zone(name, file string) Zone {
	z := Zone{Name: name}
	switch n, err := t.number(file); {
	case strings.HasPrefix(name, "PMIC"):
		// On Nano, TX2 and Xavier: it would be the hottest for ever.
		z.Why = "the driver gives a constant 100 °C"
	case err != nil:
		z.Why = why(err)
	case n == offline:
		z.Why = "the sensor's part is powered down"
	case n < coldest || n > hottest:
		z.Why = fmt.Sprintf("%g °C cannot be", float64(n)/1000)
	default:
		z.Celsius = Some(float64(n) / 1000)
	}
	return z
}

// clocks reads the fastest core's, the GPU's and the memory controller's.
func (t tree) clocks(r *Reading) {
	const cpu = "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_"
	var err1, err2 error
	r.CPU.Hz, err1 = t.highest(1000, t.glob(cpu+"cur_freq")...)
	r.CPU.Max, err2 = t.highest(1000, t.glob(cpu+"max_freq")...)
	if err1 != nil || err2 != nil {
		r.Miss("cpu", "no frequency in /sys/devices/system/cpu/*/cpufreq: the kernel does not set it here")
	}
	dir := t.gpu()
	if dir == "" {
		r.Miss("gpu", "no GPU of a Jetson in /sys/class/devfreq")
	} else {
		r.GPU.Hz, err1 = t.highest(1, path.Join(dir, "cur_freq"))
		r.GPU.Max, err2 = t.highest(1, path.Join(dir, "max_freq"))
		for _, err := range []error{err1, err2} {
			if err != nil {
				r.Miss("gpu", why(err))
			}
		}
	}
	const emc = "sys/kernel/debug/bpmp/debug/clk/emc/"
	r.EMC.Hz, err1 = t.highest(1, emc+"rate")
	r.EMC.Max, _ = t.highest(1, emc+"max_rate")
	if err1 != nil {
		r.Miss("emc", why(err1))
	}
}

// highest is the highest number in some files, times a unit. Zero is no frequency.
func (t tree) highest(unit int64, files ...string) (Optional[int64], error) {
	var best Optional[int64]
	why := fmt.Errorf("no file")
	for _, f := range files {
		n, err := t.number(f)
		switch {
		case err != nil:
			why = err
		case n <= 0 || n > 1e12/unit:
			why = fmt.Errorf("/%s: %d is no frequency", f, n)
		case !best.OK || n*unit > best.Value:
			best = Some(n * unit)
		}
	}
	if best.OK {
		return best, nil
	}
	return best, why
}

// gpu is the folder of a Jetson's GPU in devfreq, "" without one. The name is the
// device's address and the chip: 57000000.gpu (Nano), 17000000.gp10b (TX2), .gv11b
// (Xavier), .ga10b or .gpu (Orin).
func (t tree) gpu() string {
	for _, kind := range []string{"gpu", "ga10b", "gv11b", "gp10b", "gpu-gpc-0"} {
		if dirs := t.glob("sys/class/devfreq/*" + kind); len(dirs) > 0 {
			return dirs[0]
		}
	}
	return ""
}

// load is in thousandths.
func (t tree) load(r *Reading) {
	var files []string
	if dir := t.gpu(); dir != "" {
		files = append(files, path.Join(dir, "device/load"))
	}
	for _, kind := range []string{"*.gpu", "*.ga10b", "*.gv11b", "*.gp10b", "gpu.0"} {
		files = append(files, t.glob("sys/devices/platform/"+kind+"/load", "sys/devices/"+kind+"/load")...)
	}
	if files == nil {
		r.Miss("gpu_load", "no GPU of a Jetson")
		return
	}
	var reason error
	for _, f := range files {
		n, err := t.number(f)
		if err == nil && (n < 0 || n > 1000) {
			err = fmt.Errorf("/%s: %d is not within 0..1000", f, n)
		}
		if err == nil {
			r.GPULoad = Some(float64(n) / 1000)
			return
		}
		reason = err
	}
	r.Miss("gpu_load", why(reason))
}

// throttling reads the cooling devices. Of those that are no fans, a state above 0 means
// that heat holds something back.
func (t tree) throttling(r *Reading) {
	var all []Throttle
	read := false
	for _, dir := range t.glob("sys/class/thermal/cooling_device*") {
		name, err := t.text(path.Join(dir, "type"))
		if err != nil || !slows(name) {
			continue
		}
		state, err := t.number(path.Join(dir, "cur_state"))
		if err != nil {
			r.Miss("throttling", why(err))
			return
		}
		read = true
		if state > 0 {
			all = append(all, Throttle{name, "temperature"})
		}
	}
	if !read {
		r.Miss("throttling", "no cooling device in /sys/class/thermal that slows the board down")
	} else {
		r.Throttling = Some(append([]Throttle{}, all...))
	}
	var events int64
	files := t.glob("sys/class/hwmon/hwmon*/oc*_event_cnt")
	for _, f := range files {
		n, err := t.number(f)
		if err != nil {
			r.Miss("over_current_events", why(err))
			return
		}
		events += n
	}
	if files == nil {
		r.Miss("over_current_events", "no counter of a Jetson in /sys/class/hwmon")
		return
	}
	r.OverCurrent = Some(events)
}

// slows says of a cooling device's type that it cools by making something slower.
func slows(name string) bool {
	for _, part := range []string{"-alert", "cpufreq", "devfreq", "Processor"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
