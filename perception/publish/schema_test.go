package publish_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"perceive/perception"
	"perceive/perception/publish"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(publish.ResultSchema))
	must(t, doc, err)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("result.json")
	return must(t, s, err)
}

// The JSON Schema that recordings carry is true of what is written: of everything that a pipeline
// can give, and of the lines that were committed with the schema's version.
func TestSchemaIsTrue(t *testing.T) {
	s := schema(t)
	enc, err := perception.NewEncoder(head)
	must(t, enc, err)
	enc.Live = true
	var lines []string
	for _, e := range everything() {
		lines = append(lines, string(enc.Append(nil, &e.r)))
	}
	committed, err := os.ReadFile("../record/testdata/schema2.jsonl")
	must(t, committed, err)
	for _, l := range split(string(committed))[1:] {
		if !strings.HasPrefix(l, `{"event"`) {
			lines = append(lines, l)
		}
	}
	for _, l := range lines {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(l))
		must(t, v, err)
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", l, err)
		}
		for _, c := range [][2]string{{`"seq":`, `"sequence":`}, {`"status":"`, `"status":"un`}, {`"state":"`, `"state":"in`}} {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(l, c[0], c[1], 1)))
			must(t, v, err)
			if s.Validate(v) == nil {
				t.Errorf("the schema takes %s for %s", c[1], c[0])
			}
		}
	}
}
