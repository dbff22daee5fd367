package tokenendpoint_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// A transcript is a file of testdata: comment lines that state a rule and cite
// where it stands, then exchanges.
//
//	### a sentence that names the exchange
//	POST /connect/token HTTP/1.1
//	Basic-Auth: worker:open-sesame-7
//	Content-Type: application/x-www-form-urlencoded
//
//	grant_type=client_credentials
//
//	HTTP/1.1 200 OK
//	Claims: {"sub":"worker"}
//
//	{"access_token":"*","token_type":"Bearer","expires_in":3600,"scope":"orders.read"}
//
// The lines of a body are joined without line breaks. In a request
// {{repeat x 9}} is x nine times, and x may be " ", a space. These header lines of a request are not sent:
//
//	Basic-Auth  what stands base64-encoded in an Authorization line instead
//	Remote      the address that the request comes from (192.0.2.1:1234)
//	Now         how far the clock moves on before the request
//	Times       how often the exchange takes place
//	Code        a name and what a code of that name is issued for (see
//	            transcriptCode), before the clock moves on
//	Scope       a client and the scopes that it has from now on
//	Decide      what a user decides (see transcriptDecision), before the clock
//	            moves on
//
// and these of an answer are not expected of it:
//
//	Reason   the reason of the event; needed with every error, and where tokens are
//	         introspected and revoked
//	Claims   claims of the token, beyond those that every token has or with
//	         that very value
//	Header   members of the token's header
//	Same-As  name of an earlier exchange that was answered with the same bytes
//	Keep     a name and the member of the answer that has this name from now on;
//	         the value must be one that has no name yet
//
// ID-Claims and ID-Header are those of the ID token. {{NAME}} is, in bodies,
// Decide and ID-Claims, what Code or Keep gave the name to, also in the answer that
// Keep stands in.
//
// An expected body is compared byte by byte if it is an error; of a success it
// names every member. "*" stands for any value. A revocation has none. "Key: RS256" before the first
// exchange chooses the algorithm that signs, ES256 otherwise; of several the first
// signs access tokens. "Grants: users" adds the grants and clients that have users;
// device_code, ciba and password on the same line those grants.
type transcript struct {
	keys   []tokenendpoint.Alg
	grants []string
	steps  []*transcriptStep
}

type transcriptStep struct {
	name    string
	request []string // the request line and the header lines that are sent
	body    string
	remote  string
	advance time.Duration
	times   int
	codes   []transcriptCode
	scopes  [][2]string // client and scope
	decides []transcriptDecision

	status       int
	header       http.Header
	answer       string
	reason       tokenendpoint.Reason
	claims, jose map[string]any
	sameAs       string
	keep         [][2]string // name and member

	idClaims, idJOSE map[string]any
}

var (
	transcriptCitation = regexp.MustCompile(`\b[A-Z0-9.]+-[A-Z0-9.]+-[0-9]{2}\b|RFC [0-9]+ section [0-9.]+|Conflicts no\. [0-9]+|Commonly got wrong no\. [0-9]+`)
	transcriptRepeat   = regexp.MustCompile(`\{\{repeat (" "|\S+) ([0-9]+)\}\}`)
)

// readTranscript reads a file. Its errors name the line.
func readTranscript(path string) (*transcript, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	t := &transcript{keys: []tokenendpoint.Alg{tokenendpoint.ES256}}
	first := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "### ") })
	if first < 1 || !transcriptCitation.MatchString(strings.Join(lines[:first], "\n")) {
		return nil, fmt.Errorf("%s: it does not begin with comment lines that cite a rule, and an exchange", path)
	}
	for i, line := range lines[:first] {
		algs, isKey := strings.CutPrefix(line, "Key: ")
		switch {
		case isKey:
			t.keys = nil
			for alg := range strings.FieldsSeq(algs) {
				t.keys = append(t.keys, tokenendpoint.Alg(alg))
			}
		case strings.HasPrefix(line, "Grants: "):
			t.grants = strings.Fields(line)[1:]
		case line != "" && !strings.HasPrefix(line, "#"):
			return nil, fmt.Errorf("%s:%d: %q is no comment", path, i+1, line)
		}
	}
	p := &transcriptParser{lines: lines, at: first}
	for p.at < len(lines) {
		step, err := p.step()
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, p.at, err)
		}
		if slices.ContainsFunc(t.steps, func(s *transcriptStep) bool { return s.name == step.name }) {
			return nil, fmt.Errorf("%s:%d: a second exchange %q", path, p.at, step.name)
		}
		t.steps = append(t.steps, step)
	}
	return t, nil
}

type transcriptParser struct {
	lines []string
	at    int
}

// until returns the lines up to the one that ends says, and steps over it if it
// is empty.
func (p *transcriptParser) until(ends func(string) bool) (lines []string) {
	for ; p.at < len(p.lines) && !ends(p.lines[p.at]); p.at++ {
		lines = append(lines, p.lines[p.at])
	}
	if p.at < len(p.lines) && p.lines[p.at] == "" {
		p.at++
	}
	return lines
}

func emptyTranscriptLine(line string) bool  { return line == "" }
func transcriptStatusLine(line string) bool { return strings.HasPrefix(line, "HTTP/") }
func transcriptStepLine(line string) bool   { return strings.HasPrefix(line, "### ") }

func (p *transcriptParser) step() (*transcriptStep, error) {
	s := &transcriptStep{name: strings.TrimPrefix(p.lines[p.at], "### "), remote: "192.0.2.1:1234", times: 1, header: make(http.Header)}
	p.at++
	p.until(func(line string) bool { return !strings.HasPrefix(line, "#") })
	for _, line := range p.until(emptyTranscriptLine) {
		if err := s.requestLine(expandTranscript(line)); err != nil {
			return nil, err
		}
	}
	s.body = expandTranscript(strings.Join(p.until(transcriptStatusLine), ""))
	if len(s.request) == 0 || p.at == len(p.lines) {
		return nil, fmt.Errorf("exchange %q lacks a request or an answer", s.name)
	}
	status := strings.TrimPrefix(p.lines[p.at], "HTTP/1.1 ")
	p.at++
	s.status, _ = strconv.Atoi(status[:min(3, len(status))])
	if want := fmt.Sprint(s.status, " ", http.StatusText(s.status)); status != want {
		return nil, fmt.Errorf("the status line says %q, not %q", status, want)
	}
	for _, line := range p.until(emptyTranscriptLine) {
		if err := s.answerLine(line); err != nil {
			return nil, err
		}
	}
	s.answer = strings.Join(p.until(transcriptStepLine), "")
	switch {
	case s.reason != "":
	case s.status != http.StatusOK:
		return nil, fmt.Errorf("the refusal %q gives no Reason", s.name)
	case s.endpoint() != "":
		s.reason = tokenendpoint.ReasonAnswered
	default:
		s.reason = tokenendpoint.ReasonIssued
	}
	if s.answer == "" && s.sameAs == "" && !s.isBare() {
		return nil, fmt.Errorf("exchange %q says nothing about the answer's body", s.name)
	}
	return s, nil
}

func expandTranscript(line string) string {
	return transcriptRepeat.ReplaceAllStringFunc(line, func(match string) string {
		parts := transcriptRepeat.FindStringSubmatch(match)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(strings.Trim(parts[1], `"`), n)
	})
}

func (s *transcriptStep) requestLine(line string) (err error) {
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "Basic-Auth":
		line = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(value))
		s.request = append(s.request, line)
	case "Remote":
		s.remote = value
	case "Now":
		s.advance, err = time.ParseDuration(value)
	case "Times":
		s.times, err = strconv.Atoi(value)
	case "Code":
		var code transcriptCode
		code, err = readTranscriptCode(value)
		s.codes = append(s.codes, code)
	case "Scope":
		client, scope, _ := strings.Cut(value, " ")
		s.scopes = append(s.scopes, [2]string{client, scope})
	case "Decide":
		var decision transcriptDecision
		decision, err = readTranscriptDecision(value)
		s.decides = append(s.decides, decision)
	default:
		s.request = append(s.request, line)
	}
	return err
}

func (s *transcriptStep) answerLine(line string) (err error) {
	name, value, found := strings.Cut(line, ": ")
	switch name {
	case "Reason":
		s.reason = tokenendpoint.Reason(value)
	case "Claims":
		s.claims, err = transcriptObject([]byte(value))
	case "Header":
		s.jose, err = transcriptObject([]byte(value))
	case "Same-As":
		s.sameAs = value
	case "ID-Claims":
		s.idClaims, err = transcriptObject([]byte(value))
	case "ID-Header":
		s.idJOSE, err = transcriptObject([]byte(value))
	case "Keep":
		name, member, _ := strings.Cut(value, " ")
		s.keep = append(s.keep, [2]string{name, member})
	default:
		name = textproto.CanonicalMIMEHeaderKey(name)
		s.header[name] = append(s.header[name], value)
	}
	if !found {
		return fmt.Errorf("%q is not a header line", line)
	}
	return err
}

// httpRequest makes the request as the server of net/http would.
func (s *transcriptStep) httpRequest(body string) (*http.Request, error) {
	head := strings.Join(s.request, "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		return nil, err
	}
	if r.Proto != "HTTP/1.1" {
		return nil, errors.New("the request line does not end with HTTP/1.1")
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	if r.Header.Get("Content-Length") == "" && len(r.TransferEncoding) == 0 {
		r.ContentLength = int64(len(body))
	}
	r.RemoteAddr = s.remote
	return r, nil
}
