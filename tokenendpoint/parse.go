package tokenendpoint

import (
	"bytes"
	"io"
	"mime"
	"net/http"

	"github.com/grantor-go/grantor/store"
)

// parse is step 1: it reads the request's form and credentials, and looks
// nothing up.
func (e *Endpoint) parse(r *http.Request, req *Request) error {
	req.RemoteAddr = e.callerAddr(r)
	if r.Method != http.MethodPost {
		err := reject(InvalidRequest, ReasonMethod, "the method must be POST")
		err.status = http.StatusMethodNotAllowed
		return err
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode == "navigate" || mode == "no-cors" { // a page would spend its visitor's attempts
		return reject(InvalidRequest, ReasonBrowserForm, "web pages send token requests by fetch with CORS, not by forms")
	}
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return err
	}
	if !isForm(r.Header.Values("Content-Type")) || r.Header.Get("Content-Encoding") != "" {
		return reject(InvalidRequest, ReasonMediaType, "the body must be application/x-www-form-urlencoded")
	}
	if err := e.takeCertificate(r, req); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	if req.Form, err = parseForm(body); err != nil {
		return err
	}
	if req.credentials, err = takeCredentials(r.Header.Values("Authorization"), req.Form, e.supports(store.PrivateKeyJWT)); err != nil {
		return err
	}
	req.AuthMethod = req.credentials.method
	return nil
}

func isForm(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(contentType[0])
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}

func readBody(r *http.Request) (string, error) {
	tooLarge := func() error {
		err := reject(InvalidRequest, ReasonBodyTooLarge, "the body is too large")
		err.status = http.StatusRequestEntityTooLarge
		return err
	}
	if r.ContentLength > maxBody {
		return "", tooLarge()
	}
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := body.ReadFrom(io.LimitReader(r.Body, maxBody+1)); err != nil {
		return "", &Error{Code: InvalidRequest, Reason: ReasonBodyUnreadable, Description: "the body could not be read", Cause: err}
	}
	if body.Len() > maxBody {
		return "", tooLarge()
	}
	return body.String(), nil
}
