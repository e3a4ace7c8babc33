package board

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// facts are what does not change.
func (t tree) facts() (f Facts) {
	some := func(s string, err error) Optional[string] { return Optional[string]{s, err == nil} }
	f.Model = some(t.first("proc/device-tree/model", "sys/class/dmi/id/product_name"))
	f.Kernel = some(t.text("proc/sys/kernel/osrelease"))
	f.Driver = some(t.first("sys/module/nvidia/version", "sys/module/nvgpu/version"))
	if !f.Model.OK {
		f.Model = t.processor()
	}
	if release, err := t.text("etc/nv_tegra_release"); err == nil {
		f.L4T = parseL4T(release)
		f.JetPack = jetPackOf(f.L4T)
	}
	return f
}

// processor is the name of the CPU, for a machine without another name.
func (t tree) processor() Optional[string] {
	text, err := t.text("proc/cpuinfo")
	if err != nil {
		return Optional[string]{}
	}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return Some(strings.TrimSpace(value))
		}
	}
	return Optional[string]{}
}

// "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, …"
var l4tLine = regexp.MustCompile(`^# R(\d+) \(release\), REVISION: (\d+(?:\.\d+)*)`)

func parseL4T(text string) Optional[string] {
	m := l4tLine.FindStringSubmatch(text)
	if m == nil {
		return Optional[string]{}
	}
	return Some(m[1] + "." + m[2])
}

// jetPacks is NVIDIA's table of releases: the board itself knows L4T only.
var jetPacks = map[string]string{
	"32.7.1": "4.6.1", "32.7.2": "4.6.2", "32.7.3": "4.6.3", "32.7.4": "4.6.4", "32.7.5": "4.6.5", "32.7.6": "4.6.6",
	"35.1.0": "5.0.2", "35.2.1": "5.1", "35.3.1": "5.1.1", "35.4.1": "5.1.2", "35.5.0": "5.1.3", "35.6.0": "5.1.4",
	"36.2.0": "6.0 DP", "36.3.0": "6.0", "36.4.0": "6.1", "36.4.3": "6.2", "36.4.4": "6.2.1",
}

func jetPackOf(l4t Optional[string]) Optional[string] {
	v, ok := jetPacks[l4t.Value]
	if !ok { // "36.3" is 36.3.0
		v, ok = jetPacks[l4t.Value+".0"]
	}
	return Optional[string]{v, ok && l4t.OK}
}

// powerMode is nvpmodel's on a Jetson, else the firmware's profile or the governor of the
// first core.
func (t tree) powerMode(r *Reading) {
	status, err := t.text("var/lib/nvpmodel/status")
	if err == nil {
		conf, _ := t.text("etc/nvpmodel.conf")
		mode, err := parsePowerMode(status, conf)
		if err != nil {
			r.Miss("power_mode", err.Error())
			return
		}
		r.PowerMode = Some(mode)
		return
	}
	if profile, err := t.text("sys/firmware/acpi/platform_profile"); err == nil {
		r.PowerMode = Some(profile)
		return
	}
	governor, err := t.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	if err != nil {
		r.Miss("power_mode", "neither nvpmodel, nor a platform profile, nor a frequency governor")
		return
	}
	r.PowerMode = Some("governor " + governor)
}

var (
	modeOf   = regexp.MustCompile(`pmode:(\d{1,4})\b`)
	modeName = regexp.MustCompile(`(?m)^\s*<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>`)
)

// parsePowerMode turns "pmode:0002" and the modes of nvpmodel.conf into "MAXN (2)".
func parsePowerMode(status, conf string) (string, error) {
	m := modeOf.FindStringSubmatch(status)
	if m == nil {
		return "", fmt.Errorf("/var/lib/nvpmodel/status: %q names no mode", clip(status))
	}
	id, err := strconv.Atoi(m[1])
	if err != nil {
		return "", err
	}
	for _, mode := range modeName.FindAllStringSubmatch(conf, -1) {
		if n, err := strconv.Atoi(mode[1]); err == nil && n == id {
			return fmt.Sprintf("%s (%d)", mode[2], id), nil
		}
	}
	return fmt.Sprintf("mode %d", id), nil
}

// memory is the kernel's: a Jetson's GPU has no other.
func (t tree) memory(r *Reading) {
	text, err := t.text("proc/meminfo")
	if err != nil {
		r.Miss("memory", why(err))
		return
	}
	if r.Memory = parseMemory(text); !r.Memory.Total.OK || !r.Memory.Used.OK {
		r.Miss("memory", "/proc/meminfo has no MemTotal or no MemAvailable")
	}
}

func parseMemory(text string) (m Memory) {
	kib := map[string]int64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err == nil && n >= 0 && n < 1<<50 {
			kib[name] = n
		}
	}
	total, ok := kib["MemTotal"]
	if !ok {
		return m
	}
	m.Total = Some(total << 10)
	if free, ok := kib["MemAvailable"]; ok && free <= total {
		m.Used = Some((total - free) << 10)
	}
	return m
}
