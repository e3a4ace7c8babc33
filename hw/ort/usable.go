package ort

import (
	"fmt"

	"perceive/hw"
)

// Usable says whether a session could be given a provider: nil, or ErrProvider with the
// library's own reason. It loads no model; what runs in the end Measure tells.
func (r *Runtime) Usable(opts Options) error {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return fmt.Errorf("ort: %w", err)
	}
	if opts.Provider == hw.CPU || opts.Provider == hw.Auto {
		return nil
	}
	so, err := opts.native()
	if err != nil {
		return fmt.Errorf("ort: %w", err)
	}
	defer so.Destroy()
	if err := add(so, opts.Provider, opts); err != nil {
		err = libraryError(err)
		if r.lacks(opts.Provider) {
			err = fmt.Errorf("the library comes without it (%w)", err)
		}
		return fmt.Errorf("ort: %w: %s with %s (ONNX Runtime %s): %w", ErrProvider, opts.Provider, r.library, r.version, err)
	}
	return nil
}
