package dataset

import (
	"errors"
	"fmt"
	"strings"
)

// Policy says what becomes of what is wrong in the data: a line that cannot be read, a box
// without a size, a picture that is damaged.
type Policy string

const (
	// Fail refuses data with flaws, and names them. It is the zero value's meaning: data
	// that goes missing unseen makes figures wrong unseen.
	Fail Policy = "fail"
	// Skip leaves out what is wrong, and as much around it as is no longer certain; what
	// was left out is counted and the first of it named.
	Skip Policy = "skip"
)

// ErrFlawed reports data that Fail refuses.
var ErrFlawed = errors.New("flaws in the data")

// Flaws are what is wrong in data, by reason: counted, and the first few named.
// The zero value has none.
type Flaws struct{ kinds []flaw }

type flaw struct {
	reason string
	n      int
	named  []string
}

// fewNamed is how many flaws of a reason are named.
const fewNamed = 3

// add counts a flaw; where says which, and what is wrong with it.
func (f *Flaws) add(reason, where string, args ...any) {
	f.merge(flaw{reason, 1, []string{fmt.Sprintf(where, args...)}})
}

func (f *Flaws) merge(other flaw) {
	for i := range f.kinds {
		if k := &f.kinds[i]; k.reason == other.reason {
			k.n += other.n
			k.named = append(k.named, other.named[:min(len(other.named), fewNamed-len(k.named))]...)
			return
		}
	}
	f.kinds = append(f.kinds, other)
}

// Add joins other flaws to these.
func (f *Flaws) Add(other Flaws) {
	for _, k := range other.kinds {
		f.merge(k)
	}
}

// Len is the number of flaws.
func (f *Flaws) Len() (n int) {
	for _, k := range f.kinds {
		n += k.n
	}
	return n
}

// Count is the number of flaws of one reason.
func (f *Flaws) Count(reason string) int {
	for _, k := range f.kinds {
		if k.reason == reason {
			return k.n
		}
	}
	return 0
}

// Lines describe the flaws, a reason a line.
func (f *Flaws) Lines() []string {
	var out []string
	for _, k := range f.kinds {
		line := fmt.Sprintf("%d %s (%s", k.n, k.reason, strings.Join(k.named, "; "))
		if more := k.n - len(k.named); more > 0 {
			line += fmt.Sprintf("; and %d more", more)
		}
		out = append(out, line+")")
	}
	return out
}

// Err is the error of policy Fail, nil where there is none.
func (f *Flaws) Err() error {
	if f.Len() == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s: correct them, or leave them out with --on-bad skip", ErrFlawed, strings.Join(f.Lines(), ", "))
}

// check is Err where the policy is not to skip.
func (p Policy) check(f *Flaws) error {
	if p == Skip {
		return nil
	}
	return f.Err()
}

// Reasons why a picture is no use.
const (
	badPictures     = "pictures that cannot be decoded"
	missingPictures = "missing pictures"
	strayBoxes      = "boxes outside their pictures"
)
