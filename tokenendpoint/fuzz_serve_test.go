package tokenendpoint_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// fuzzMark is in every place of the seeds where a stranger can write, so that most
// mutations keep it: no answer may hold it.
const fuzzMark = "zq7"

// X-HTTP-10: while all is well with what the endpoint depends on, no request
// whatsoever is answered with a 5xx.
func FuzzServeHTTP(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	good, ask := basic("till:"+trialSecret), "grant_type="+trialGrant
	post := "&client_id=till&client_secret=" + trialSecret

	f.Add("POST", "", form, good, ask)
	f.Add("POST", "", form, "", ask+post)
	f.Add("POST", fuzzMark+"=1", form, good, ask+"&scope=orders.read+stock.read")
	f.Add("POST", "", form+"; charset=UTF-8", good, "grant_type=client_credentials&scope=orders.read&resource="+ordersAPI)
	f.Add("POST", "", "Application/X-WWW-Form-Urlencoded", strings.Replace(good, "Basic", "bAsIc", 1), ask+"&acr_values=zq7+tenant:zq7+idp:zq7")
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post", "", fuzzMark} {
		f.Add(method, "", form, good, ask)
	}
	for _, query := range []string{"client_id=zq7", "scope=zq7", "%zz", "a=1;b=2", "grant_type", "a&a"} {
		f.Add("POST", query, form, good, ask)
	}
	for _, contentType := range []string{"", "application/json", "multipart/form-data; boundary=zq7", form + ";", form + "; a=" + fuzzMark + "; a=b", "text/" + fuzzMark} {
		f.Add("POST", "", contentType, good, ask)
	}
	for _, authorization := range []string{
		basic("zq7:zq7"), basic("till:zq7"), basic("till:"), basic("till"), basic(":"), "Basic", "Basic zq7", "Bearer zq7", "DPoP zq7", good + ", " + good, fuzzMark,
	} {
		f.Add("POST", "", form, authorization, ask)
		f.Add("POST", "", form, authorization, ask+post)
	}
	for _, body := range []string{
		"", "{}", "zq7", "grant_type=", "grant_type=zq7", "grant_type=password&username=zq7&password=zq7", ask + "&" + ask, ask + "&foo=zq7", ask + "&scope=zq7",
		ask + "&scope=%22zq7", ask + "&scope=", ask + "&scope=+", ask + "&scope=profile", ask + "&scope=offline_access", ask + "&resource=zq7",
		ask + "&resource=https://zq7.example", ask + "&resource=" + ordersAPI + "&resource=" + stockAPI, ask + "&scope=stock.read&resource=" + ordersAPI,
		ask + "&acr_values=tenant:", ask + "&acr_values=tenant:a+tenant:zq7", ask + "&acr_values=+", ask + "&client_assertion=zq7&client_assertion_type=zq7",
		ask + "&code=%zz", ask + "&code=%ff", ask + "&code=%00", ask + ";scope=zq7", ask + strings.Repeat("&a", 100),
	} {
		f.Add("POST", "", form, good, body)
		f.Add("POST", "", form, "", body+post)
	}

	tr := newTrial(f)
	f.Fuzz(func(t *testing.T, method, query, contentType, authorization, body string) {
		tr.t, tr.events = t, nil
		tr.log.Reset()
		r := &http.Request{
			Method: method, URL: &url.URL{Path: "/connect/token", RawQuery: query}, Header: make(http.Header),
			Body: http.NoBody, ContentLength: int64(len(body)),
		}
		r.Body = fuzzBody{strings.NewReader(body)}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		answer := tr.send(r) // JSON, not cached, and either a token or an error
		if answer.status != http.StatusOK && (answer.status < 400 || answer.status > 499) {
			t.Errorf("answered %d %s: %s", answer.status, answer.body, tr.log)
		}
		if answer.status == http.StatusOK {
			tr.claims(answer)
			if method != http.MethodPost {
				t.Errorf("%s was answered with a token", method)
			}
		} else {
			checkSilent(tr, answer)
		}
		checkKnownNames(tr, answer.status)
	})
}

type fuzzBody struct{ *strings.Reader }

func (fuzzBody) Close() error { return nil }

var fuzzPermitted = regexp.MustCompile(`\A[\x20\x21\x23-\x5b\x5d-\x7e]+\z`)

// checkSilent checks that an error says nothing that the request said.
func checkSilent(tr *trial, answer trialAnswer) {
	tr.t.Helper()
	for name, value := range answer.members {
		text, _ := value.(string)
		if name != "error" && name != "error_description" || !fuzzPermitted.MatchString(text) { // 6749-5.2-08
			tr.t.Errorf("the member %q is %q", name, value)
		}
	}
	for name, values := range answer.header {
		if strings.Contains(strings.Join(values, ""), fuzzMark) {
			tr.t.Errorf("%s is %q", name, values)
		}
	}
	if strings.Contains(answer.body, fuzzMark) {
		tr.t.Errorf("the answer repeats what was sent: %s", answer.body)
	}
}

// checkKnownNames checks that there is one event, in which no stranger has
// written.
func checkKnownNames(tr *trial, status int) {
	tr.t.Helper()
	event := tr.event()
	if event.Status != status || (event.Code == "") != (status == http.StatusOK) || (event.Reason == tokenendpoint.ReasonIssued) != (status == http.StatusOK) {
		tr.t.Errorf("the event of a %d is %+v", status, event)
	}
	if event.ClientID != "" && event.ClientID != "till" || event.GrantType != "" && event.GrantType != trialGrant && event.GrantType != "client_credentials" {
		tr.t.Errorf("a stranger's name is in the event %+v", event)
	}
	if strings.Contains(tr.log.String(), fuzzMark) || strings.Contains(tr.log.String(), trialSecret) {
		tr.t.Errorf("the log repeats what was sent: %s", tr.log)
	}
}
