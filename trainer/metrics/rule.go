package metrics

import (
	"fmt"
	"strconv"
	"strings"
)

// Rule is how a threshold is chosen on validation data. The zero value is Youden's.
type Rule struct {
	kind   string
	target float64
}

// Kinds of rules. The threshold is the one with
//
//	youden       the highest J = recall − false alarms (Youden 1950), which does not depend
//	             on how many positives the data happens to hold
//	f1           the highest F1
//	precision=P  the highest recall at a precision of P or more
//	recall=R     the fewest false alarms at a recall of R or more
//
// and of equals the highest one.
const (
	youden    = "youden"
	f1        = "f1"
	precision = "precision"
	recall    = "recall"
)

// ParseRule reads "youden" (or ""), "f1", "precision=0.9" or "recall=0.95".
func ParseRule(text string) (Rule, error) {
	kind, value, has := strings.Cut(text, "=")
	switch {
	case !has && (kind == "" || kind == youden):
		return Rule{}, nil
	case !has && kind == f1:
		return Rule{kind: f1}, nil
	case has && (kind == precision || kind == recall):
		if v, err := strconv.ParseFloat(value, 64); err == nil && v > 0 && v <= 1 {
			return Rule{kind, v}, nil
		}
		return Rule{}, fmt.Errorf("threshold rule %q: %q is not a number above 0 and up to 1", text, value)
	}
	return Rule{}, fmt.Errorf(`threshold rule %q: want youden, f1, precision=P or recall=R`, text)
}

// String is the rule as ParseRule reads it.
func (r Rule) String() string {
	switch r.kind {
	case "":
		return youden
	case f1:
		return f1
	}
	return fmt.Sprintf("%s=%g", r.kind, r.target)
}

// Words say what the rule chooses, for a person.
func (r Rule) Words() string {
	switch r.kind {
	case f1:
		return "highest F1"
	case precision:
		return fmt.Sprintf("highest recall at a precision of %g or more", r.target)
	case recall:
		return fmt.Sprintf("fewest false alarms at a recall of %g or more", r.target)
	}
	return "highest recall less false alarms"
}

// Choose is the decision that the rule makes on the scores. ok is false when no threshold
// reaches what it asks for: then the decision is Youden's.
func (r Rule) Choose(s Scores) (best Decision, ok bool, err error) {
	ranks, err := s.rank()
	if err != nil {
		return Decision{}, false, err
	}
	for _, d := range ranks.decisions() {
		if r.reached(d) && (!ok || r.value(d) > r.value(best)) {
			best, ok = d, true
		}
	}
	if !ok {
		best, _, err = Rule{}.Choose(s)
	}
	return best, ok, err
}

func (r Rule) reached(d Decision) bool {
	switch r.kind {
	case precision:
		return d.Precision >= r.target && d.Recall > 0
	case recall:
		return d.Recall >= r.target
	}
	return true
}

func (r Rule) value(d Decision) float64 {
	switch r.kind {
	case f1:
		return d.F1
	case precision:
		return d.Recall
	case recall:
		return -d.FalseAlarms
	}
	return d.Recall - d.FalseAlarms
}
