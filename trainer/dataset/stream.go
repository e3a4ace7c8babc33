package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxJSON bounds an annotation file: BDD100K's largest is a third of it.
	maxJSON = 4 << 30
	// maxElement bounds one element of a list in it, and everything that is passed over in
	// one piece: with that a file that is none is refused before it fills the memory.
	maxElement = 64 << 20
)

// lists are what is read of a JSON file: for each list by its key a function that decodes
// one element. The key "" is a file that is itself a list.
type lists map[string]func(dec *json.Decoder) error

// read goes through a file element by element, so that its size does not matter.
func (l lists) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return fmt.Errorf("dataset: %w", err)
	} else if st.Size() > maxJSON {
		return fmt.Errorf("dataset: %s: larger than %d MiB", path, maxJSON>>20)
	}
	buffered := bufio.NewReaderSize(f, 1<<16)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		buffered.Discard(3) // some editors begin a file so
	}
	r := listReader{lists: l, meter: &meter{r: buffered}}
	r.dec = json.NewDecoder(r.meter)
	err = r.file()
	if err == nil {
		if _, err = r.token(); errors.Is(err, io.EOF) {
			return nil
		} else if err == nil {
			err = errors.New("goes on after its end")
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("dataset: %s: at byte %d: %w", path, r.dec.InputOffset(), err)
}

type listReader struct {
	lists lists
	meter *meter
	dec   *json.Decoder
}

func (r *listReader) token() (json.Token, error) {
	r.meter.left = maxElement
	return r.dec.Token()
}

func (r *listReader) file() error {
	t, err := r.token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return r.list("")
	case t != json.Delim('{'):
		return nil // a value; whoever wants a list misses it
	}
	for r.dec.More() {
		key, err := r.token()
		if err != nil {
			return err
		}
		t, err := r.token()
		if err != nil {
			return err
		}
		if name, _ := key.(string); t == json.Delim('[') && r.lists[name] != nil {
			err = r.list(name)
		} else if _, deep := t.(json.Delim); deep {
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
	_, err = r.token()
	return err
}

// list reads a list whose bracket has been read.
func (r *listReader) list(key string) error {
	read := r.lists[key]
	if read == nil {
		return r.skip()
	}
	for r.dec.More() {
		r.meter.left = maxElement
		if err := read(r.dec); err != nil {
			return err
		}
	}
	_, err := r.token()
	return err
}

// skip passes over what a bracket that has been read begins.
func (r *listReader) skip() error {
	for depth := 1; depth > 0; {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}

// meter refuses to read on without an end in sight.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("one element is larger than %d MiB", maxElement>>20)
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
