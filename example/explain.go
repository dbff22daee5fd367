package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// told is how a user, or a script, is told what a decision came to.
type told struct {
	status int
	text   string
}

// explain says why something could not be decided. What is the shop's own trouble goes
// to the log.
func (s *site) explain(w http.ResponseWriter, r *http.Request, err error) told {
	var refusal *tokenendpoint.Error
	errors.As(err, &refusal)
	switch {
	case refusal == nil:
	case refusal.Reason == tokenendpoint.ReasonThrottled:
		wait := (refusal.RetryAfter + time.Second - 1).Truncate(time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
		return told{http.StatusTooManyRequests, "There were too many wrong codes. Please wait some minutes."}
	case refusal.Reason == tokenendpoint.ReasonUnknownHandle:
		return told{http.StatusNotFound, "There is no such code. Please compare it with what your device shows."}
	case refusal.Reason == tokenendpoint.ReasonExpired, refusal.Reason == tokenendpoint.ReasonRevoked:
		return told{http.StatusGone, "This has expired. Please begin again at your device or application."}
	case refusal.Reason == tokenendpoint.ReasonDecided:
		return told{http.StatusConflict, "This was decided already."}
	case refusal.Code == tokenendpoint.InvalidClient:
		return told{http.StatusGone, "The application that asks is not known any more."}
	}
	s.logger.ErrorContext(r.Context(), "a page does not work", "path", r.URL.Path, "error", err.Error())
	if isOutage(err) {
		w.Header().Set("Retry-After", "5")
		return told{http.StatusServiceUnavailable, "This does not work at the moment. Please try again."}
	}
	return told{http.StatusInternalServerError, "This does not work. Please tell the shop."}
}

// isOutage: the next try may succeed.
func isOutage(err error) bool { return errors.Is(err, tokenendpoint.TemporarilyUnavailable) }
