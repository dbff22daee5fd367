package tokenendpoint

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// onceID is something that may be used once: the jti of an assertion, of a proof.
type onceID struct {
	kind, of, id string
	until        time.Time
	used         bool
}

// otherClocks is how far the clock of another node may be behind: it would accept for
// longer what is forgotten here. A request that was judged in time may take as long as
// Config.Timeout.
const otherClocks = time.Minute

// use uses an id up, and reports whether nobody did before. What this request used
// itself, when it was about to lose a race, is not used by others.
func (e *Endpoint) use(ctx context.Context, id *onceID) (first bool, err error) {
	if id.used {
		return true, nil
	}
	sum := sha256.Sum256([]byte(id.kind + "\x00" + e.config.Issuer + "\x00" + id.of + "\x00" + id.id))
	lifetime := max(0, id.until.Sub(e.config.Now())) + e.config.Timeout + otherClocks
	id.used, err = e.config.Replays.Use(ctx, base64.RawURLEncoding.EncodeToString(sum[:]), lifetime)
	if err != nil {
		return false, outage(ReasonStoreUnavailable, fmt.Errorf("ReplayStore: %w", err))
	}
	return id.used, nil
}

// useProof uses the request's proof up, if it has one: what is minted is not yet
// answered.
func (e *Endpoint) useProof(ctx context.Context, req *Request) error {
	if req.proof == nil {
		return nil
	}
	first, err := e.use(ctx, req.proof)
	if err == nil && !first {
		err = reject(InvalidDPoPProof, ReasonReplayed, "the DPoP proof was used already")
	}
	return err
}
