package hil

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// observer reads what the unit publishes, from outside.
type observer struct {
	base   string
	life   func() int
	states bool // keep the states, which an hour of results has many of
	used   func() (rss int64, cpu float64)

	mu      sync.Mutex
	deaf    bool // hear nothing
	hanging context.CancelFunc
	results []Result
	notes   []Note
	polls   []Poll
}

// line is what the stream of results sends.
type line struct {
	Event  string `json:"event"`
	State  string `json:"state"`
	Source string `json:"source"`
	Seq    uint64 `json:"seq"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Labels []struct {
		Label string `json:"label"`
		State string `json:"state"`
	} `json:"labels"`
	Live struct {
		Code *uint32 `json:"code"`
	} `json:"live"`
}

// follow reads the stream of results until ctx ends; it connects again when that breaks.
func (o *observer) follow(ctx context.Context) {
	for ctx.Err() == nil {
		one, cancel := context.WithCancel(ctx)
		o.mu.Lock()
		deaf := o.deaf
		o.hanging = cancel
		o.mu.Unlock()
		if !deaf {
			o.stream(one)
		}
		cancel()
		sleep(ctx, 50*time.Millisecond)
	}
}

func (o *observer) stream(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base+"/v1/results", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	life := o.life()
	scan := bufio.NewScanner(resp.Body)
	scan.Buffer(make([]byte, 0, 64<<10), 1<<20)
	for scan.Scan() {
		if data, ok := strings.CutPrefix(scan.Text(), "data:"); ok {
			o.take(time.Now(), life, strings.TrimSpace(data))
		}
	}
	return scan.Err()
}

// take notes one line.
func (o *observer) take(now time.Time, life int, text string) {
	var l line
	if json.Unmarshal([]byte(text), &l) != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case l.Event != "":
		o.notes = append(o.notes, Note{now, l.Source, l.Event + " " + l.State, l.Reason})
	case l.Status != "":
		r := Result{Got: now, Source: l.Source, Seq: l.Seq, Status: l.Status, Reason: l.Reason, Code: l.Live.Code, Life: life}
		if o.states {
			r.States = map[string]string{}
			for _, x := range l.Labels {
				r.States[x.Label] = x.State
			}
		}
		o.results = append(o.results, r)
	}
}

// pollEvery is how often the status page is asked.
const pollEvery = 200 * time.Millisecond

// poll asks the status page until ctx ends.
func (o *observer) poll(ctx context.Context) {
	client := http.Client{Timeout: 700 * time.Millisecond}
	for ctx.Err() == nil {
		p := o.ask(ctx, &client)
		o.mu.Lock()
		o.polls = append(o.polls, p)
		o.mu.Unlock()
		sleep(ctx, pollEvery)
	}
}

func (o *observer) ask(ctx context.Context, client *http.Client) (p Poll) {
	defer func() { p.Got = time.Now() }() // when it is known what was said, or that nothing was
	p.RSS, p.CPU = o.used()
	var s struct {
		Ready    bool `json:"ready"`
		Healthy  bool `json:"healthy"`
		Problems []struct {
			Part string `json:"part"`
			What string `json:"what"`
		} `json:"problems"`
		Outputs []struct {
			Name    string `json:"name"`
			Dropped uint64 `json:"dropped"`
		} `json:"outputs"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base+"/v1/status", nil)
	if err != nil {
		return p
	}
	resp, err := client.Do(req)
	if err != nil {
		return p
	}
	defer resp.Body.Close()
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&s) != nil {
		return p
	}
	p.Answered, p.Ready, p.Healthy = true, s.Ready, s.Healthy
	for _, x := range s.Problems {
		p.Problems = append(p.Problems, x.Part+": "+x.What)
	}
	for _, x := range s.Outputs {
		if x.Dropped > 0 {
			if p.Dropped == nil {
				p.Dropped = map[string]uint64{}
			}
			p.Dropped[x.Name] = x.Dropped
		}
	}
	return p
}

func (o *observer) all() Observed {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Observed{o.results, o.notes, o.polls}
}

// setDeaf makes the bench hear nothing, or hear again.
func (o *observer) setDeaf(deaf bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deaf = deaf
	if deaf && o.hanging != nil {
		o.hanging()
	}
}

// ready is whether the unit has said that it is.
func (o *observer) ready() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.polls) > 0 && o.polls[len(o.polls)-1].Ready
}

// drain waits for the results of the frames that were sent last, for drainTime at most: on a machine that is
// busy they are late, and not lost.
func (o *observer) drain(ctx context.Context, feeds []*feed) {
	for end := time.Now().Add(drainTime); time.Now().Before(end); {
		if !slices.ContainsFunc(feeds, func(f *feed) bool { return o.heard(f.cam.Name) < f.lastSent() }) {
			return
		}
		if sleep(ctx, 20*time.Millisecond) != nil {
			return
		}
	}
}

// drainTime is how long results are waited for at the end.
const drainTime = 3 * time.Second

// heard is the code of the last result of a camera that has one, -1 before.
func (o *observer) heard(camera string) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range slices.Backward(o.results) {
		if x.Source == camera && x.Code != nil {
			return int64(*x.Code)
		}
	}
	return -1
}
