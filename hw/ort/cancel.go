package ort

import (
	"context"
	"sync"

	ortgo "github.com/yalue/onnxruntime_go"
)

// canceller turns the end of a context into ONNX Runtime's terminate flag. It
// registers once per context, not once per run, so a steady loop allocates
// nothing.
type canceller struct {
	mu   sync.Mutex
	opts *ortgo.RunOptions
	done <-chan struct{} // of the context being watched
	stop func() bool
	turn uint64 // tells a late callback of an earlier context to do nothing
}

// watch returns options whose flag is raised when ctx ends, nil for a context
// that never does. Calls do not overlap: the Binding's lock is held.
func (c *canceller) watch(ctx context.Context) (*ortgo.RunOptions, error) {
	// Channels, not contexts, are compared: a context's type need not be
	// comparable, and contexts that share a channel end together.
	done := ctx.Done()
	if done == nil {
		return nil, nil
	}
	if done == c.done {
		return c.opts, nil
	}
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts == nil {
		opts, err := ortgo.NewRunOptions()
		if err != nil {
			return nil, err
		}
		c.opts = opts
	} else if err := c.opts.UnsetTerminate(); err != nil {
		return nil, err
	}
	turn := c.turn
	c.done = done
	c.stop = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.turn == turn {
			// Cannot fail while opts is alive, and the run's own error tells the rest.
			_ = c.opts.Terminate()
		}
	})
	return c.opts, nil
}

// forget ends the watch of the present context.
func (c *canceller) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn++
	c.done = nil
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

func (c *canceller) close() {
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts != nil {
		c.opts.Destroy()
		c.opts = nil
	}
}
