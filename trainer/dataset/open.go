package dataset

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request asks a reader for one data set: what is the text between the scheme and the
// question mark, query the options behind it. What is wrong in the data goes to flaws.
type request struct {
	what   string
	query  url.Values
	labels []string
	flaws  *Flaws
}

// OpenOptions say how data sets are read.
type OpenOptions struct {
	// OnBad is what becomes of flaws; the zero value is Fail.
	OnBad Policy
}

// ErrURI reports a data set that is asked for in a way that cannot be: an unknown kind,
// option or value. What is wrong is in the words, not in the data.
var ErrURI = errors.New("cannot be asked for like this")

// readers by scheme.
var readers = map[string]func(request) (*Set, error){
	"bdd100k": openBDD,
	"coco":    openCOCO,
	"jsonl":   openJSONL,
	"scene":   openScene,
	"yolo":    openYOLO,
}

// Schemes lists the kinds of data sets that Open knows, sorted, for help texts.
func Schemes() []string {
	var names []string
	for name := range readers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Open reads the data sets of one or more URIs, refuses flaws, and joins them:
//
//	jsonl:FILE[?pseudo=1&teacher=FILE]                     the project's own format
//	coco:FILE.json[?images=DIR&map=FROM:TO&group=HOW]      COCO's boxes
//	bdd100k:FILE.json[?images=DIR&map=FROM:TO&group=HOW]   BDD100K, Scalabel's format
//	yolo:FOLDER[?names=FILE&map=FROM:TO&group=HOW]         YOLO's text a picture
//	scene:COUNT[?seed=N&hide=FRACTION&known=N&presence=1]  rendered
//
// HOW pictures make a sequence that a split keeps together, where the annotations do not
// say: name (each by itself), folder, or prefix (the name without its last number).
// A URI without a scheme that ends in .jsonl counts as jsonl.
func Open(uris []string, labels []string) (*Set, error) {
	return OpenWith(OpenOptions{}, uris, labels)
}

// OpenWith is Open with options.
func OpenWith(opts OpenOptions, uris []string, labels []string) (*Set, error) {
	if len(uris) == 0 {
		return nil, fmt.Errorf("dataset: %w: no data given, name one or more, such as jsonl:labels.jsonl", ErrURI)
	}
	var sets []*Set
	for _, uri := range uris {
		s, err := open(opts, uri, labels)
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	return Concat(sets...), nil
}

func open(opts OpenOptions, uri string, labels []string) (*Set, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok && strings.HasSuffix(strings.SplitN(uri, "?", 2)[0], ".jsonl") {
		scheme, rest, ok = "jsonl", uri, true
	}
	read, known := readers[scheme]
	if !ok || !known {
		return nil, fmt.Errorf("dataset: %s: %w: want one of the kinds %s, such as jsonl:FILE", uri, ErrURI, strings.Join(Schemes(), ", "))
	}
	what, text, _ := strings.Cut(rest, "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w: %w", uri, ErrURI, err)
	}
	var flaws Flaws
	set, err := read(request{what, query, labels, &flaws})
	if flawed := opts.OnBad.check(&flaws); flawed != nil && (err == nil || errors.Is(err, errNoPictures)) {
		return nil, fmt.Errorf("dataset: %s: %w", what, flawed)
	}
	if err != nil {
		return nil, err
	}
	set.Flaws = flaws
	return set, nil
}

// only refuses options that a reader does not know.
func (r request) only(known ...string) error {
	for key := range r.query {
		if !slices.Contains(known, key) {
			return fmt.Errorf("dataset: %s: %w: unknown option %q (known: %s)", r.what, ErrURI, key, strings.Join(known, ", "))
		}
	}
	return nil
}

// flag reads an option that is on or off.
func flag(uri string, query url.Values, key string) (bool, error) {
	if !query.Has(key) {
		return false, nil
	}
	on, err := strconv.ParseBool(query.Get(key))
	if err != nil {
		return false, fmt.Errorf("dataset: %s: %w: option %s=%s: want 0 or 1", uri, ErrURI, key, query.Get(key))
	}
	return on, nil
}

func openJSONL(r request) (*Set, error) {
	if err := r.only("pseudo", "teacher"); err != nil {
		return nil, err
	}
	pseudo, err := flag(r.what, r.query, "pseudo")
	if err != nil {
		return nil, err
	}
	set, err := readJSONL(r.what, r.labels, pseudo, r.flaws)
	if err != nil || !r.query.Has("teacher") {
		return set, err
	}
	return set, set.Believe(r.query.Get("teacher"))
}
