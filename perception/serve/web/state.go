package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"perceive/perception/serve/status"
)

// Health is what the probes answer.
type Health struct {
	OK       bool             `json:"ok"`
	Problems []status.Problem `json:"problems"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, s.daemon.Status())
}

func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	st := s.daemon.Status()
	probe(w, st.Healthy, st.Problems)
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	st := s.daemon.Status()
	probe(w, st.Ready, st.Problems)
}

func probe(w http.ResponseWriter, ok bool, problems []status.Problem) {
	code := http.StatusOK
	if !ok {
		code = http.StatusServiceUnavailable
	}
	if problems == nil {
		problems = []status.Problem{}
	}
	answer(w, code, Health{ok, problems})
}

func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	m := s.daemon.Manifest()
	if m == nil {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "no model is loaded yet")
		return
	}
	answer(w, http.StatusOK, m)
}

// reload changes the model. It is for users of this machine: others may look, not change.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if !local(r) {
		fail(w, http.StatusForbidden, "the model is changed from the machine itself only: ask there, or send the process SIGHUP")
		return
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.cfg.ReloadTime + s.cfg.WriteTimeout))
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.ReloadTime)
	defer cancel()
	if err := s.daemon.Reload(ctx, r.URL.Query().Get("file")); err != nil {
		fail(w, http.StatusConflict, "the model was not changed: "+err.Error())
		return
	}
	answer(w, http.StatusOK, s.daemon.Status().Reload)
}

// answer writes JSON.
func answer(w http.ResponseWriter, code int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, "the answer is no JSON: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(text, '\n')) // who is gone needs no answer
}
