package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
func openYOLO(r request) (*Set, error) {
	if err := r.only("names", "map", "group"); err != nil {
		return nil, err
	}
	group, err := r.newGrouping()
	if err != nil {
		return nil, err
	}
	set := newSet(r.labels)
	y := yoloReading{request: r, set: set, known: make([]bool, len(r.labels))}
	if err := y.categories(); err != nil {
		return nil, err
	}
	images, texts := yoloFolders(r.what)
	pictures, err := filesOf(images, ".jpg", ".jpeg", ".png", ".bmp", ".webp")
	if err != nil {
		return nil, err
	}
	y.strays(texts, pictures)
	for _, path := range pictures {
		lines, err := readLines(yoloText(path))
		if errors.Is(err, os.ErrNotExist) {
			set.Skipped["pictures without a text"]++
			continue
		}
		if err != nil {
			return nil, err
		}
		w, h, err := opencv.SizeFile(path) // boxes are parts of the picture's size
		if err != nil {
			r.flaws.add(badPictures, "%v", err)
			continue
		}
		name := filepath.Base(path)
		it := newAnnotated(Item{Path: path, Name: name, Group: group(name), Source: "yolo"}, y.known)
		y.objects(it, lines, float64(w), float64(h))
		set.Items = append(set.Items, it.item())
	}
	if len(set.Items) == 0 {
		return nil, fmt.Errorf("dataset: %s: %w (%d pictures without a text)", r.what, errNoPictures, set.Skipped["pictures without a text"])
	}
	return set, nil
}

// yoloReading is a folder half read.
type yoloReading struct {
	request
	set   *Set
	names []string // of the categories
	label []int    // of each category
	known []bool   // labels that have a category
}

func (y *yoloReading) categories() error {
	cats, err := y.newCategories()
	if err != nil {
		return err
	}
	names := y.query.Get("names")
	if names == "" {
		names = filepath.Join(y.what, "classes.txt")
	}
	lines, err := readLines(names)
	if err != nil {
		return fmt.Errorf("dataset: %w: the categories' names, one a line (option names=FILE)", err)
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1] // the numbers end with the last name
	}
	for _, name := range lines {
		l := cats.label(name)
		y.names, y.label = append(y.names, strings.TrimSpace(name)), append(y.label, l)
		if l >= 0 {
			y.known[l] = true
		}
	}
	if !slices.Contains(y.known, true) {
		return fmt.Errorf("dataset: %s: none of its %d categories is one of the labels; name them with map=CATEGORY:LABEL", names, len(y.label))
	}
	return nil
}

// objects puts the lines of a text into its picture of w×h pixels. A line that cannot be
// read is an object that may be anything.
func (y *yoloReading) objects(it *annotated, lines []string, w, h float64) {
	for n, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		o, err := parseYOLO(fields, len(y.label))
		if err != nil {
			y.flaws.add("lines of another format", "%s: line %d: %v", yoloText(it.Path), n+1, err)
			it.doubtful = true
			continue
		}
		l := y.label[o.category]
		if l < 0 {
			y.set.Unasked[y.names[o.category]]++
			continue
		}
		b := Box{X: (o.x - o.w/2) * w, Y: (o.y - o.h/2) * h, W: o.w * w, H: o.h * h}
		if !b.sized() {
			y.flaws.add(emptyBoxes, "%s: line %d: size %g×%g", yoloText(it.Path), n+1, o.w, o.h)
		}
		it.add(l, b, true)
	}
}

// yoloFolders are where a folder's pictures and texts lie.
func yoloFolders(dir string) (pictures, texts string) {
	if st, err := os.Stat(filepath.Join(dir, "images")); err == nil && st.IsDir() {
		return filepath.Join(dir, "images"), filepath.Join(dir, "labels")
	}
	return dir, dir
}

// filesOf lists the files of a folder with one of some endings.
func filesOf(dir string, endings ...string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	var out []string
	for _, e := range entries {
		if slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}

// strays names the texts in a folder whose picture is not there.
func (y *yoloReading) strays(dir string, pictures []string) {
	has := map[string]bool{filepath.Join(dir, "classes.txt"): true, filepath.Clean(y.query.Get("names")): true}
	for _, path := range pictures {
		has[yoloText(path)] = true
	}
	texts, _ := filesOf(dir, ".txt") // a folder that is not there has none
	for _, text := range texts {
		if !has[text] && filepath.Ext(text) == ".txt" { // others are not read
			y.flaws.add(missingPictures, "%s: there is no picture of this name", text)
		}
	}
}
