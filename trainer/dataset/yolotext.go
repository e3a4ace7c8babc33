package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// yoloText is where a picture's text lies.
func yoloText(picture string) string {
	text := strings.TrimSuffix(picture, filepath.Ext(picture)) + ".txt"
	if dir := filepath.Dir(picture); filepath.Base(dir) == "images" {
		return filepath.Join(filepath.Dir(dir), "labels", filepath.Base(text))
	}
	return text
}

// yoloObject is a line: all but the category from 0 to 1.
type yoloObject struct {
	category   int
	x, y, w, h float64
}

// maxText bounds a picture's text.
const maxText = 16 << 20

func readLines(path string) (lines []string, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxText {
		return nil, fmt.Errorf("dataset: %s: larger than %d MiB", path, maxText>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(string(text), "\n"), nil
}

func parseYOLO(fields []string, categories int) (yoloObject, error) {
	var o yoloObject
	if len(fields) != 5 {
		return o, fmt.Errorf("%d values, want category, x, y, width, height (polygons are not read)", len(fields))
	}
	var err error
	if o.category, err = strconv.Atoi(fields[0]); err != nil || o.category < 0 || o.category >= categories {
		return o, fmt.Errorf("category %q, want a number below %d", fields[0], categories)
	}
	for i, to := range []*float64{&o.x, &o.y, &o.w, &o.h} {
		if *to, err = strconv.ParseFloat(fields[i+1], 64); err != nil || !(*to >= 0 && *to <= 1) {
			return o, fmt.Errorf("value %q, want a part of the picture, 0 to 1", fields[i+1])
		}
	}
	return o, nil
}
