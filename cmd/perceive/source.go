package main

import (
	"errors"
	"fmt"
	"time"

	"perceive/camera"
	"perceive/camera/open"
)

// openSource opens what --source names. It waits for the first frame of a live one: only
// then is known what the header of the results says of it.
func (c *runCmd) openSource(a *app) (camera.Source, error) {
	streaming := make(chan struct{}, 1)
	src, err := open.Source(c.Source, open.Options{Threads: decoders(), OnEvent: func(e camera.Event) {
		if !c.Quiet {
			fmt.Fprintf(a.errOut, "camera: %s\n", eventLine(e))
		}
		if e.State == camera.Streaming {
			select {
			case streaming <- struct{}{}:
			default:
			}
		}
	}})
	switch {
	case errors.Is(err, open.ErrURI):
		return nil, usageError{err}
	case err != nil:
		return nil, err
	}
	if note := src.Info().Note; note != "" && !c.Quiet {
		fmt.Fprintf(a.errOut, "note: %s: %s\n", c.Source, note)
	}
	if _, live := src.(camera.Live); live {
		select {
		case <-streaming:
		case <-a.ctx.Done():
			return nil, errors.Join(a.ctx.Err(), src.Close())
		}
	}
	return src, nil
}

// eventLine is an event for a person.
func eventLine(e camera.Event) string {
	line := string(e.State)
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	if e.State == camera.Connecting && e.Attempt > 1 {
		line += fmt.Sprintf(" (attempt %d)", e.Attempt)
	}
	if e.Backoff > 0 {
		line += fmt.Sprintf("; again in %v", e.Backoff.Round(time.Millisecond))
	}
	return line
}

// world opens what a bench looks at.
func world(uri string) (camera.Source, error) {
	return open.Source(uri, open.Options{Threads: decoders()})
}
