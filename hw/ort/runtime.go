// Package ort runs ONNX models through ONNX Runtime: it finds and loads the
// shared library, makes sessions on a chosen execution provider, and owns the
// memory that both sides touch.
//
// A program opens one Runtime, makes a Session from a model's bytes, and runs
// it on Tensors: with Session.Run on any tensors, or with a Binding on fixed
// ones, which allocates nothing per run and is what the frame path and the
// training loop use. Nothing of the underlying Go binding is in an exported
// signature.
package ort

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	ortgo "github.com/yalue/onnxruntime_go"
)

// Config says where the shared library is. The zero value searches
// DefaultSearch. This package reads no environment variable: the command does.
type Config struct {
	// Library is the path of the shared library. Empty means Search.
	Library string
	// Search is the folders to look in, in order. Empty means DefaultSearch.
	Search []string
}

// Runtime is a loaded ONNX Runtime. Its methods are safe for concurrent use.
type Runtime struct {
	library, version string
	closed           atomic.Bool
}

// loaded is the one library of this process. ONNX Runtime's environment is
// process-wide, so every Runtime shares it. It is never unloaded: tensors may
// outlive their Runtime, and unloading a library whose threads have run is how
// programs crash on their way out.
var loaded struct {
	sync.Mutex
	library, version string
}

// Open finds and loads the shared library. Opening it again shares it; another
// library than the one already loaded is an error. A missing or unusable
// library is ErrUnavailable, with a message that says what to do.
func Open(cfg Config) (*Runtime, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.library != "" && cfg.Library == "" {
		return &Runtime{library: loaded.library, version: loaded.version}, nil
	}
	path, err := cfg.Find()
	if err != nil {
		return nil, fmt.Errorf("ort: open: %w", err)
	}
	if loaded.library != "" && path != loaded.library {
		return nil, fmt.Errorf("ort: open %s: this process has already loaded %s", path, loaded.library)
	}
	if loaded.library == "" {
		if err := load(path); err != nil {
			return nil, fmt.Errorf("ort: open: %w", err)
		}
		loaded.library, loaded.version = path, ortgo.GetVersion()
	}
	return &Runtime{library: loaded.library, version: loaded.version}, nil
}

func load(path string) error {
	if _, err := binding(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	ortgo.SetSharedLibraryPath(path)
	// Errors come back as values, with the same text: the library's own log
	// would print each of them a second time.
	if err := ortgo.InitializeEnvironment(ortgo.WithLogLevelFatal()); err != nil {
		// The Go binding's words for a library without its API version. Which one
		// it is cannot be asked: the binding has unloaded it.
		if strings.Contains(err.Error(), "setting ORT API base") {
			return fmt.Errorf("%w: %s is older than ONNX Runtime 1.24, which this program needs", ErrUnavailable, path)
		}
		return fmt.Errorf("%w: cannot load %s: %w", ErrUnavailable, path, libraryError(err))
	}
	return nil
}

// Version is the library's version, such as 1.27.0.
func (r *Runtime) Version() string { return r.version }

// Library is the absolute path of the shared library.
func (r *Runtime) Library() string { return r.library }

// Close ends use: no new sessions. Sessions and tensors that exist go on
// working until they are closed. Close may be called twice.
func (r *Runtime) Close() error {
	r.closed.Store(true)
	return nil
}
