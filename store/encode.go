package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// encoding is the JSON of a record. Its names are short because each record has
// them, and they are never given another meaning.
type encoding struct {
	Format    int            `json:"v"`
	State     string         `json:"st,omitempty"`
	CreatedAt int64          `json:"c,omitempty"`
	SpentAt   int64          `json:"sa,omitempty"`
	SpentBy   string         `json:"sb,omitempty"`
	Sealed    []byte         `json:"se,omitempty"`
	Data      []byte         `json:"d,omitempty"`
	Grant     *encodingGrant `json:"g,omitempty"`
}

type encodingGrant struct {
	Issuer     string         `json:"i,omitempty"`
	ClientID   string         `json:"c,omitempty"`
	Subject    string         `json:"s,omitempty"`
	Scopes     []string       `json:"sc"`
	Resources  []string       `json:"r"`
	AuthTime   int64          `json:"at,omitempty"`
	ACR        string         `json:"acr,omitempty"`
	AMR        []string       `json:"amr,omitempty"`
	Session    string         `json:"sid,omitempty"`
	Nonce      string         `json:"n,omitempty"`
	Claims     map[string]any `json:"cl,omitempty"`
	UserClaims map[string]any `json:"uc,omitempty"`
	JKT        string         `json:"jkt,omitempty"`
	X5T        string         `json:"x5t,omitempty"`
}

const encodingFormat = 1

// EncodeRecord returns what of a record an adapter keeps as one value: all but
// Key, Kind, ExpiresAt, KeepUntil and Version, which have a column or field of
// their own. CreatedAt is in it, and an Update must not change that of the record
// that is kept. The error is that of encoding/json about a claim.
func EncodeRecord(r *Record) ([]byte, error) {
	e := encoding{
		Format: encodingFormat, State: r.State, CreatedAt: Micros(r.CreatedAt),
		SpentAt: Micros(r.SpentAt), SpentBy: r.SpentBy, Sealed: r.Sealed, Data: r.Data,
	}
	if g := r.Grant; g != nil {
		e.Grant = &encodingGrant{
			g.Issuer, g.ClientID, g.Subject, g.Scopes, g.Resources, Micros(g.AuthTime),
			g.ACR, g.AMR, g.Session, g.Nonce, g.Claims, g.UserClaims, g.Confirmation.JKT, g.Confirmation.X5T,
		}
	}
	return json.Marshal(e)
}

// DecodeRecord reads into r what EncodeRecord wrote. Numbers in claims become
// json.Number, so that none is lost. The error wraps ErrCorrupt.
func DecodeRecord(b []byte, r *Record) error {
	var e encoding
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	err := decoder.Decode(&e)
	if _, end := decoder.Token(); err != nil || end != io.EOF {
		return fmt.Errorf("%w: not the JSON of a record", ErrCorrupt) // the text of err could quote it
	}
	if e.Format != encodingFormat {
		return fmt.Errorf("%w: format %d is not known; a newer release wrote it", ErrCorrupt, e.Format)
	}
	r.State, r.CreatedAt = e.State, FromMicros(e.CreatedAt)
	r.SpentAt, r.SpentBy, r.Sealed, r.Data = FromMicros(e.SpentAt), e.SpentBy, e.Sealed, e.Data
	r.Grant = nil
	if g := e.Grant; g != nil {
		r.Grant = &Grant{
			Issuer: g.Issuer, ClientID: g.ClientID, Subject: g.Subject, Scopes: g.Scopes, Resources: g.Resources,
			AuthTime: FromMicros(g.AuthTime), ACR: g.ACR, AMR: g.AMR, Session: g.Session, Nonce: g.Nonce,
			Claims: g.Claims, UserClaims: g.UserClaims, Confirmation: Confirmation{JKT: g.JKT, X5T: g.X5T},
		}
	}
	return nil
}

// Micros returns microseconds since 1970, the form in which adapters keep times;
// 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros.
func FromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
