package jose

import (
	"strings"
	"sync/atomic"
)

// Header is what of a token's header says how to verify it. Nothing of it is
// believed before Verify.
type Header struct {
	Alg  string
	Kid  string
	Typ  string
	Crit bool // there are extensions that must be understood (RFC 7515 section 4.1.11)
}

// Token is a token in JWS compact serialisation, taken apart. Nothing of it is believed
// before it is verified.
type Token struct {
	Header
	Payload   []byte
	Signed    string // header and payload, as they were sent
	signature []byte
}

const (
	maxToken  = 64 << 10 // octets, as many as a request has
	maxHeader = 4 << 10  // octets, decoded
)

// Parser takes tokens apart, and keeps the header of the last one: all that one key signs
// have the same. Its zero value is ready, a nil one keeps nothing. It is safe for
// concurrent use and not copied.
type Parser struct{ last atomic.Pointer[keptHeader] }

type keptHeader struct {
	part string
	Header
}

// Parse takes a token of at most 64 KiB apart, with a header of at most 4 KiB.
func (p *Parser) Parse(token string) (*Token, error) {
	if len(token) > maxToken || hasLineFeed(token) {
		return nil, errMalformed
	}
	signed, last, _ := cutLast(token, ".")
	first, middle, ok := strings.Cut(signed, ".")
	header, errFirst := p.header(first)
	payload, errMiddle := encoding.DecodeString(middle)
	signature, errLast := encoding.DecodeString(last)
	if !ok || errFirst != nil || errMiddle != nil || errLast != nil {
		return nil, errMalformed
	}
	return &Token{header, payload, signed, signature}, nil
}

func (p *Parser) header(part string) (Header, error) {
	if p == nil {
		return parseHeader(part)
	}
	if kept := p.last.Load(); kept != nil && kept.part == part {
		return kept.Header, nil
	}
	h, err := parseHeader(part)
	if err == nil {
		p.last.Store(&keptHeader{strings.Clone(part), h})
	}
	return h, err
}

func parseHeader(part string) (Header, error) {
	if len(part) > encoding.EncodedLen(maxHeader) {
		return Header{}, errMalformed
	}
	members, err := DecodePart(part)
	if err != nil {
		return Header{}, err
	}
	var h Header
	var ok [3]bool
	h.Alg, ok[0] = members.Text("alg")
	h.Kid, ok[1] = members.Text("kid")
	h.Typ, ok[2] = members.Text("typ")
	if ok != [3]bool{true, true, true} {
		return Header{}, errMalformed
	}
	h.Crit = members.Has("crit")
	return h, nil
}

// Parse is that of a Parser that keeps nothing.
func Parse(token string) (*Token, error) { return (*Parser)(nil).Parse(token) }

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
