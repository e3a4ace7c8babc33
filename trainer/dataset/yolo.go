package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"perceive/camera/opencv"
)

// openYOLO reads a folder of pictures with a text file each, a line an object: its
// category's number, then the box's centre and size as parts of the picture's width and
// height. The numbers' names are the lines of FOLDER/classes.txt, or of the option
// names. A folder images/ has its texts in labels/ beside it.
//
// Annotators looked for every category in every picture that has a text, empty or not: a
// category that it lacks is negative. A picture without a text is left out.
func openYOLO(dir string, query url.Values, labels []string) (*Set, error) {
	if err := only(dir, query, "names", "map"); err != nil {
		return nil, err
	}
	cats, err := newCategories(dir, query, labels)
	if err != nil {
		return nil, err
	}
	names := query.Get("names")
	if names == "" {
		names = filepath.Join(dir, "classes.txt")
	}
	text, err := os.ReadFile(names)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w: the categories' names, one a line (option names=FILE)", err)
	}
	label, known := []int{}, make([]bool, len(labels))
	for name := range strings.Lines(strings.TrimSpace(string(text))) {
		l := cats.label(name)
		label = append(label, l)
		if l >= 0 {
			known[l] = true
		}
	}
	if !slices.Contains(known, true) {
		return nil, fmt.Errorf("dataset: %s: none of its %d categories is one of the labels; name them with map=CATEGORY:LABEL", names, len(label))
	}
	pictures, err := yoloPictures(dir)
	if err != nil {
		return nil, err
	}
	set := &Set{Labels: labels, Skipped: map[string]int{}}
	for _, path := range pictures {
		objects, err := readYOLO(yoloText(path), len(label))
		if errors.Is(err, os.ErrNotExist) {
			set.Skipped["pictures without a text"]++
			continue
		}
		if err != nil {
			return nil, err
		}
		w, h, _, err := opencv.DecodeFile(path) // boxes are parts of the picture's size
		if err != nil {
			set.Skipped["pictures that cannot be decoded"]++
			continue
		}
		it := newAnnotated(Item{Path: path, Name: filepath.Base(path), Group: filepath.Base(path), Source: "yolo"}, known)
		for _, o := range objects {
			if l := label[o.category]; l >= 0 {
				bw, bh := o.w*float64(w), o.h*float64(h)
				it.add(l, Box{X: o.x*float64(w) - bw/2, Y: o.y*float64(h) - bh/2, W: bw, H: bh}, true)
			}
		}
		set.Items = append(set.Items, it.item())
	}
	if len(set.Items) == 0 {
		return nil, fmt.Errorf("dataset: %s: %w (%d pictures without a text)", dir, errNoPictures, set.Skipped["pictures without a text"])
	}
	return set, nil
}

// yoloPictures lists the pictures of a folder, or of its folder images/.
func yoloPictures(dir string) ([]string, error) {
	if st, err := os.Stat(filepath.Join(dir, "images")); err == nil && st.IsDir() {
		dir = filepath.Join(dir, "images")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	var out []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png", ".bmp", ".webp":
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}

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

func readYOLO(path string, categories int) ([]yoloObject, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []yoloObject
	scan := bufio.NewScanner(f)
	for n := 1; scan.Scan(); n++ {
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 {
			continue
		}
		o, err := parseYOLO(fields, categories)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: line %d: %w", path, n, err)
		}
		out = append(out, o)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", path, err)
	}
	return out, nil
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
