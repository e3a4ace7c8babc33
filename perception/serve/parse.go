package serve

import (
	"fmt"
	"regexp"
	"strings"

	"perceive/internal/strict"
)

// Text is a named piece of configuration: a file, or a flag's value.
type Text struct {
	Name string
	YAML []byte
}

// Assign is the text of an assignment "a.b=value" as a flag or a variable gives it.
func Assign(from, assignment string) (Text, error) {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || !assignable.MatchString(key) {
		return Text{}, fmt.Errorf("%s %q: want KEY=VALUE, deadline=80ms or http.listen=127.0.0.1:9000 for example", from, assignment)
	}
	var b strings.Builder
	parts := strings.Split(key, ".")
	for _, p := range parts {
		b.WriteString(p + ": {")
	}
	text := strings.TrimSuffix(b.String(), "{") + value + strings.Repeat("}", len(parts)-1)
	return Text{from + " " + assignment, []byte(text)}, nil
}

var assignable = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)

// Parse reads configuration, each text over what was before it and the first over the
// default, and says what is wrong with file, line and key.
func Parse(texts ...Text) (Config, error) {
	c := Default()
	f, err := strict.Decode("default.yaml", DefaultYAML, new(Config))
	if err != nil {
		return c, err
	}
	files := []*strict.File{f}
	for _, t := range texts {
		before := c.Sources
		if f, err = strict.Decode(t.Name, t.YAML, &c); err != nil {
			return c, err
		}
		if c.Sources == nil {
			c.Sources = before
		}
		files = append(files, f)
	}
	return c, strict.Faults(c.faults(), files...)
}
