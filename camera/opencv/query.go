//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
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
// are errors that name the key.
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
	for key, vs := range values {
		if len(vs) != 1 {
			return fmt.Errorf("%s is given %d times: give it once", key, len(vs))
		}
		n, isNumber := numbers[key]
		text, isText := texts[key]
		switch {
		case isNumber:
			v, err := strconv.Atoi(vs[0])
			if err != nil || v < n.min || v > n.max {
				return fmt.Errorf("%s=%q: want a whole number, %d to %d", key, vs[0], n.min, n.max)
			}
			*n.to = v
		case isText:
			if err := text(vs[0]); err != nil {
				return fmt.Errorf("%s=%q: %w", key, vs[0], err)
			}
		default:
			return fmt.Errorf("unknown key %q: want %s", key, strings.Join(known, ", "))
		}
	}
	return nil
}
