//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// intKey is a whole number among a URI's keys.
type intKey struct {
	to       *int
	min, max int
}

// readKeys reads a query strictly: an unknown or repeated key and a value out of range
// are errors that name the key, all of them at once.
func readKeys(query string, numbers map[string]intKey, texts map[string]func(string) error) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	var known []string
	for k := range numbers {
		known = append(known, k)
	}
	for k := range texts {
		known = append(known, k)
	}
	slices.Sort(known)
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, key := range slices.Sorted(maps.Keys(values)) {
		vs := values[key]
		n, isNumber := numbers[key]
		text, isText := texts[key]
		switch {
		case len(vs) != 1:
			bad("%s is given %d times: give it once", key, len(vs))
		case isNumber:
			v, err := strconv.Atoi(vs[0])
			if err != nil || v < n.min || v > n.max {
				bad("%s=%q: want a whole number, %d to %d", key, vs[0], n.min, n.max)
				continue
			}
			*n.to = v
		case isText:
			if err := text(vs[0]); err != nil {
				bad("%s=%q: %w", key, vs[0], err)
			}
		default:
			bad("unknown key %q: want %s", key, strings.Join(known, ", "))
		}
	}
	return errors.Join(errs...)
}
