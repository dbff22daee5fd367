package main

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// authorization is the shop's own authorization endpoint (RFC 6749 section 3.1):
// its users sign in here, agree, and are sent back to the application with a code.
type authorization struct{ *site }

// authorizationRequest is what an application asks for.
type authorizationRequest struct {
	query    url.Values
	scopes   []string // asked for or, if none were, all API scopes of the client
	client   *store.Client
	redirect string // where errors go too; checked
	prompt   []string
}

// problem is an error of section 4.1.2.1.
type problem struct{ code, description string }

func (p problem) Error() string { return p.code }

func (a *authorization) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "the method must be GET or POST", http.StatusMethodNotAllowed)
		return
	}
	req, err := a.read(r)
	if err != nil { // nobody knows whose address redirect_uri is: nobody is sent there
		a.showProblem(w, err)
		return
	}
	if err := req.check(); err != nil {
		a.back(w, r, req, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if r.Method == http.MethodPost {
		a.submit(w, r, req)
		return
	}
	a.ask(w, r, req)
}

// read finds out who asks and where the answer goes: exactly a registered URI.
func (a *authorization) read(r *http.Request) (*authorizationRequest, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem{"invalid_request", "The request is malformed."}
	}
	for name, values := range query {
		if len(values) > 1 && name != "resource" {
			return nil, problem{"invalid_request", "The request has a parameter twice."}
		}
	}
	req := &authorizationRequest{query: query, redirect: query.Get("redirect_uri"), prompt: strings.Fields(query.Get("prompt"))}
	if req.client, err = a.endpoint.Client(r.Context(), query.Get("client_id")); err != nil {
		return nil, err
	}
	if req.redirect == "" && len(req.client.RedirectURIs) == 1 {
		req.redirect = req.client.RedirectURIs[0]
	}
	if !req.client.AllowsRedirect(req.redirect) {
		return nil, problem{"invalid_request", "The application named an address that is not one of its own."}
	}
	if req.scopes = strings.Fields(query.Get("scope")); len(req.scopes) == 0 {
		req.scopes = a.defaultScopes(req.client)
	}
	return req, nil
}

func (req *authorizationRequest) check() error {
	switch {
	case req.query.Get("request") != "":
		return problem{"request_not_supported", ""}
	case req.query.Get("request_uri") != "":
		return problem{"request_uri_not_supported", ""}
	case req.query.Get("response_type") == "":
		return problem{"invalid_request", "response_type is missing"}
	case req.query.Get("response_type") != "code":
		return problem{"unsupported_response_type", "response_type must be code"}
	case req.query.Get("response_mode") != "" && req.query.Get("response_mode") != "query":
		return problem{"invalid_request", "response_mode must be query"}
	case slices.Contains(req.prompt, "none") && len(req.prompt) > 1:
		return problem{"invalid_request", "prompt=none stands alone"}
	case !slices.Contains(req.client.GrantTypes, "authorization_code"):
		return problem{"unauthorized_client", ""}
	}
	for _, scope := range req.scopes { // before anybody is asked to sign in
		if !slices.Contains(strings.Fields(req.client.Scope), scope) {
			return problem{"invalid_scope", "a scope is unknown or not allowed to the client"}
		}
	}
	return nil
}

// ask shows the page that is needed next, or none.
func (a *authorization) ask(w http.ResponseWriter, r *http.Request, req *authorizationRequest) {
	if name := r.URL.Query().Get("demo_user"); a.demo && name != "" && isLocal(r) {
		u := a.users.byName(name)
		if u == nil {
			a.back(w, r, req, problem{"access_denied", "there is no such demo user"})
			return
		}
		a.finish(w, r, req, session{id: "demo", sub: u.Sub, authTime: time.Now()})
		return
	}
	silent := slices.Contains(req.prompt, "none")
	v, ok := a.visitor(r)
	ok = ok && !req.wantsLogin(v.session)
	switch {
	case !ok && silent:
		a.back(w, r, req, problem{"login_required", ""})
	case !ok:
		a.showLogin(w, r, http.StatusOK, page{Client: nameOf(req.client)}, req.redirect)
	case a.consents.given(v.Sub, req) && !slices.Contains(req.prompt, "consent") && !req.client.Allows(store.NoAuth):
		// A public client is asked about each time: any program can claim to be it
		// (RFC 8252 section 8.6).
		a.finish(w, r, req, v.session)
	case silent:
		a.back(w, r, req, problem{"consent_required", ""})
	default:
		a.showConsent(w, req, v)
	}
}

// wantsLogin: the application may ask for a fresh sign-in (OpenID Connect Core
// section 3.1.2.1).
func (req *authorizationRequest) wantsLogin(s session) bool {
	if slices.Contains(req.prompt, "login") || slices.Contains(req.prompt, "select_account") {
		return true
	}
	seconds, err := strconv.Atoi(req.query.Get("max_age"))
	return err == nil && time.Since(s.authTime) > time.Duration(seconds)*time.Second
}

// finish issues the code.
func (a *authorization) finish(w http.ResponseWriter, r *http.Request, req *authorizationRequest, s session) {
	resources := slices.DeleteFunc(slices.Clone(req.query["resource"]), func(resource string) bool { return resource == "" })
	grant := s.grant()
	grant.ClientID, grant.Scopes, grant.Resources, grant.Nonce = req.client.ID, req.scopes, resources, req.query.Get("nonce")
	code, err := a.codes.Issue(r.Context(), a.endpoint, grants.Code{
		Grant:               grant,
		RedirectURI:         req.query.Get("redirect_uri"),
		CodeChallenge:       req.query.Get("code_challenge"),
		CodeChallengeMethod: req.query.Get("code_challenge_method"),
	})
	if err != nil {
		a.back(w, r, req, err)
		return
	}
	a.redirect(w, r, req, url.Values{"code": {code}, "scope": {strings.Join(req.scopes, " ")}})
}

// defaultScopes are those of a request that names none.
func (a *authorization) defaultScopes(client *store.Client) []string {
	return slices.DeleteFunc(strings.Fields(client.Scope), func(name string) bool {
		return slices.ContainsFunc(a.scopes, func(s store.Scope) bool { return s.Name == name && s.Identity })
	})
}

// back sends an error to the application.
func (a *authorization) back(w http.ResponseWriter, r *http.Request, req *authorizationRequest, err error) {
	var known problem
	var refusal *tokenendpoint.Error
	switch {
	case errors.As(err, &known):
	case errors.As(err, &refusal) && refusal.Code != tokenendpoint.InvalidClient:
		known = problem{string(refusal.Code), refusal.Description}
	default:
		known = problem{code: "server_error"}
	}
	if known.code == "server_error" || known.code == "temporarily_unavailable" {
		a.logger.ErrorContext(r.Context(), "no code could be issued", "error", err.Error())
	}
	answer := url.Values{"error": {known.code}}
	if known.description != "" {
		answer.Set("error_description", known.description)
	}
	a.redirect(w, r, req, answer)
}

// redirect adds what every answer carries: state as it came, and iss (RFC 9207).
// 303, so that no password is sent on (RFC 9700 section 4.12).
func (a *authorization) redirect(w http.ResponseWriter, r *http.Request, req *authorizationRequest, answer url.Values) {
	target, err := url.Parse(req.redirect)
	if err != nil {
		a.showProblem(w, err)
		return
	}
	if state := req.query.Get("state"); state != "" {
		answer.Set("state", state)
	}
	answer.Set("iss", a.issuer)
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += answer.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}
