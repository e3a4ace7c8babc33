// Package scene draws road scenes: a camera on a car that drives down a street
// with cars, pedestrians, stop signs and traffic lights, and the exact truth
// about every picture. It needs no recording and no native code, so every
// machine can run, test and train on it.
//
// A seed decides everything. The same Config gives the same pixels each time on
// the same kind of processor; between kinds a rounding may differ in the last bit.
//
// An object is in the truth when a person could name it. The part of it inside
// the picture is at least 3 % of the picture high and at least 4 pixels; and either
// at least 35 % of its outline lies inside the picture and at least 40 % of what
// lies there is not hidden by nearer things, or what shows of it fills at least
// 1.5 % of the picture. The box of a stop sign is the octagon and
// that of a traffic light the housing, without their poles. The driver of a car is
// no pedestrian.
package scene

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// The labels of the truth.
const (
	Pedestrian   = "pedestrian"
	Car          = "car"
	StopSign     = "stop_sign"
	TrafficLight = "traffic_light"
)

// Labels returns the four labels in the order the project lists them.
func Labels() []string { return []string{Pedestrian, Car, StopSign, TrafficLight} }

// Box is where an object is, in pixels from the top left corner of the picture
// and clipped to it.
type Box struct {
	Label      string
	X, Y, W, H float64
}

// Truth says what is in a picture.
type Truth struct {
	// Boxes holds the objects a person could name (see the package comment).
	Boxes []Box
	// Labels has an entry for each of the four labels: whether there is a box of it.
	Labels map[string]bool
	// Light is "day", "dusk" or "night"; Weather is "clear", "cloudy" or "rain".
	Light, Weather string
}

// Config describes a drive. Zero fields take their defaults; a seed of zero is a
// seed like any other.
type Config struct {
	Seed          uint64
	Width, Height int     // pixels, 64 to 4096; default 1280×720
	FPS           float64 // frames a second, above 0 to 240; default 10
	Seconds       float64 // length of the drive, above 0 to 3600; default 10
	// Live draws frames when they are due, FPS a second, as a camera takes them; else
	// they are drawn as fast as they are asked for.
	Live bool
	// Loop begins the drive again at its end, with numbers that go on. A URI does not say it.
	Loop bool
}

const scheme = "scene://"

// Is reports whether uri names a drawn scene.
func Is(uri string) bool { return strings.HasPrefix(uri, scheme) }

// Parse reads a URI such as "scene://?seed=1&seconds=10&width=1280&height=720&fps=10&live=true".
// Keys that are not there take their defaults. An unknown or repeated key or a
// value out of range is an error that says what would be right.
func Parse(uri string) (Config, error) {
	c, err := parse(uri)
	if err != nil {
		return Config{}, fmt.Errorf("scene: %s: %w", uri, err)
	}
	return c, nil
}

func parse(uri string) (c Config, err error) {
	rest, ok := strings.CutPrefix(uri, scheme)
	if !ok {
		return c, errors.New("does not begin with " + scheme)
	}
	rest, query, _ := strings.Cut(rest, "?")
	if rest != "" && rest != "/" {
		return c, fmt.Errorf("%q is no part of a scene; write %s?seed=1", rest, scheme)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return c, fmt.Errorf("cannot be read: %w", err)
	}
	set := map[string]func(string) error{
		"seed":    func(s string) (err error) { c.Seed, err = strconv.ParseUint(s, 10, 64); return },
		"width":   func(s string) (err error) { c.Width, err = strconv.Atoi(s); return },
		"height":  func(s string) (err error) { c.Height, err = strconv.Atoi(s); return },
		"fps":     func(s string) (err error) { c.FPS, err = strconv.ParseFloat(s, 64); return },
		"seconds": func(s string) (err error) { c.Seconds, err = strconv.ParseFloat(s, 64); return },
		"live":    func(s string) (err error) { c.Live, err = strconv.ParseBool(s); return },
	}
	for _, key := range sorted(values) {
		read := set[key]
		if read == nil {
			return c, fmt.Errorf("unknown key %q: want %s", key, strings.Join(sorted(set), ", "))
		}
		if len(values[key]) > 1 {
			return c, fmt.Errorf("%s is given %d times: give it once", key, len(values[key]))
		}
		if err := read(values[key][0]); err != nil {
			return c, fmt.Errorf("%s=%q: want %s", key, values[key][0], ranges[key])
		}
		// Zero is the default in a Config, and an oversight in a URI.
		if key != "seed" && c.zero(key) {
			return c, fmt.Errorf("%s=%q: want %s", key, values[key][0], ranges[key])
		}
	}
	c = c.withDefaults()
	return c, c.validate()
}

// ranges says what each key takes.
var ranges = map[string]string{
	"seed":    "a whole number, 0 or more",
	"width":   "a whole number of pixels, 64 to 4096",
	"height":  "a whole number of pixels, 64 to 4096",
	"fps":     "a number above 0, at most 240",
	"seconds": "a number above 0, at most 3600",
	"live":    "true or false",
}

func (c Config) zero(key string) bool {
	return map[string]bool{"width": c.Width == 0, "height": c.Height == 0, "fps": c.FPS == 0, "seconds": c.Seconds == 0}[key]
}

func (c Config) withDefaults() Config {
	if c.Width == 0 {
		c.Width = 1280
	}
	if c.Height == 0 {
		c.Height = 720
	}
	if c.FPS == 0 {
		c.FPS = 10
	}
	if c.Seconds == 0 {
		c.Seconds = 10
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	check := func(key string, value any, ok bool) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s=%v: want %s", key, value, ranges[key]))
		}
	}
	check("width", c.Width, c.Width >= 64 && c.Width <= 4096)
	check("height", c.Height, c.Height >= 64 && c.Height <= 4096)
	check("fps", c.FPS, c.FPS > 0 && c.FPS <= 240)
	check("seconds", c.Seconds, c.Seconds > 0 && c.Seconds <= 3600)
	return errors.Join(errs...)
}

// URI returns the address of the drive with every key written out.
func (c Config) URI() string {
	c = c.withDefaults()
	num := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	uri := fmt.Sprintf("%s?seed=%d&seconds=%s&width=%d&height=%d&fps=%s",
		scheme, c.Seed, num(c.Seconds), c.Width, c.Height, num(c.FPS))
	if c.Live {
		uri += "&live=true"
	}
	return uri
}

// frames is the number of frames of the drive, at least one.
func (c Config) frames() int { return max(1, int(math.Round(c.Seconds*c.FPS))) }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
