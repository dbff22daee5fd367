package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Nonces makes and recognises the nonces of RFC 9449 section 8 without keeping any:
// a nonce is a MAC of the period in which it was made. All nodes that have the same
// key and period accept each other's, also those whose clock is behind by less than
// what is left of the period. It is safe for concurrent use.
type Nonces struct {
	key    []byte
	period time.Duration
	now    func() time.Time
}

// NoncePeriod is the proposed period: a nonce is accepted for one to two of them.
const NoncePeriod = 5 * time.Minute

// NewNonces returns Nonces. The key is 32 random bytes that are used for nothing
// else; whoever has it can make proofs ahead of time. The period is at least a second.
func NewNonces(key []byte, period time.Duration, now func() time.Time) (*Nonces, error) {
	if len(key) != sha256.Size {
		return nil, fmt.Errorf("proof: the key of the nonces has %d bytes, not %d", len(key), sha256.Size)
	}
	if period < time.Second {
		return nil, errors.New("proof: the period of the nonces is shorter than a second")
	}
	return &Nonces{append([]byte(nil), key...), period, now}, nil
}

// New returns the nonce of this period, 43 characters of base64url.
func (n *Nonces) New() string { return n.of(n.slot()) }

// Valid reports whether a nonce is that of this period or of the one before. If it
// is the latter, old is true: the caller then sends a new one with its answer
// (RFC 9449 section 8.2).
func (n *Nonces) Valid(nonce string) (ok, old bool) {
	slot := n.slot()
	current := hmac.Equal([]byte(nonce), []byte(n.of(slot)))
	previous := hmac.Equal([]byte(nonce), []byte(n.of(slot-1)))
	return current || previous, previous && !current
}

func (n *Nonces) slot() int64 { return n.now().UnixNano() / int64(n.period) }

func (n *Nonces) of(slot int64) string {
	mac := hmac.New(sha256.New, n.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(slot)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
