package tokenendpoint

// Reason says in one stable word why a request ended as it did, finer than the
// error code that the client sees. Reasons are made for alerts and dashboards:
// their number is fixed, apart from those that the errors of a host bring.
type Reason string

// ReasonIssued is the reason of a request that was answered with tokens.
const ReasonIssued Reason = "issued"

// ReasonAnswered is the reason of a request to a companion of the token endpoint
// that was answered as it asked.
const ReasonAnswered Reason = "answered"

// ReasonActive is the reason of an introspection of a token that is good, and that the
// client may know of. That of one that is not says why, with the words of what is
// redeemed; that of a revocation is ReasonRevoked, or why there was nothing to revoke.
const ReasonActive Reason = "active"

// Reasons of step 1, parse. The code is invalid_request.
const (
	ReasonMethod            Reason = "method_not_allowed"  // not POST (405)
	ReasonMediaType         Reason = "wrong_media_type"    // not a form
	ReasonBodyTooLarge      Reason = "body_too_large"      // over 64 KiB (413)
	ReasonBodyUnreadable    Reason = "body_unreadable"     // the caller stopped sending
	ReasonMalformedForm     Reason = "malformed_form"      // bad escape, ';', not UTF-8, control characters
	ReasonRepeatedParameter Reason = "repeated_parameter"  // RFC 6749 section 3.2
	ReasonTooManyParameters Reason = "too_many_parameters" // over 100
	ReasonParameterTooLong  Reason = "parameter_too_long"  // client_id and client_secret over 512 octets, grant_type 256, scope 4096, resource 2048, acr_values 1024, others as their table in form.go says, at most 50 KiB
	ReasonQueryParameter    Reason = "parameter_in_query"  // RFC 6749 section 2.3.1
	ReasonBrowserForm       Reason = "browser_form"        // a form of a web page, which no client sends
)

// Reasons why the client is not authenticated, steps 1 and 2. The code is
// invalid_client unless a comment says otherwise.
const (
	ReasonSeveralMethods        Reason = "several_auth_methods"    // RFC 6749 section 2.3; invalid_request
	ReasonClientIDMismatch      Reason = "client_id_mismatch"      // header and body name two clients; invalid_request
	ReasonMalformedCredentials  Reason = "malformed_credentials"   // Basic that cannot be read
	ReasonUnsupportedAuthMethod Reason = "unsupported_auth_method" // another scheme, or an assertion
	ReasonMissingClientID       Reason = "missing_client_id"
	ReasonUnknownClient         Reason = "unknown_client"
	ReasonClientDisabled        Reason = "client_disabled"
	ReasonAuthMethodNotAllowed  Reason = "auth_method_not_allowed" // not in the client's set
	ReasonSecretMismatch        Reason = "secret_mismatch"
	ReasonSecretExpired         Reason = "secret_expired"          // the secret was right, once
	ReasonMalformedAssertion    Reason = "malformed_assertion"     // no JWT, or not one for client authentication
	ReasonAssertionSignature    Reason = "assertion_signature"     // by no key or secret of the client, or another algorithm than it registered
	ReasonAssertionAudience     Reason = "assertion_audience"      // not for this issuer alone (RFC 10070 section 4)
	ReasonAssertionTime         Reason = "assertion_time"          // expired, not yet valid, or for longer than an hour
	ReasonReplayed              Reason = "replayed"                // used already
	ReasonCertificate           Reason = "malformed_certificate"   // the TLS certificate that a proxy handed on cannot be read; invalid_request
	ReasonCertificateMismatch   Reason = "certificate_mismatch"    // not the client's, expired, or of a CA that is not trusted
	ReasonCertificateAbsent     Reason = "certificate_absent"      // the client's tokens are bound to one; invalid_request
	ReasonClientKeys            Reason = "client_keys"             // nothing of use is at the jwks_uri; if the registered jwks is of no use, server_error
	ReasonClientKeysUnavailable Reason = "client_keys_unavailable" // temporarily_unavailable (503)
	ReasonThrottled             Reason = "throttled"               // temporarily_unavailable (429)
	ReasonHashingBusy           Reason = "hashing_busy"            // temporarily_unavailable (503)
)

// Reasons why a DPoP proof is not accepted; the code is invalid_dpop_proof or, for the
// last, use_dpop_nonce. Beside them: dpop_absent (the client always sends one),
// dpop_repeated, dpop_too_long, dpop_malformed, dpop_typ, dpop_alg, dpop_jwk,
// dpop_signature, dpop_claims, dpop_htm, dpop_htu, dpop_too_old, dpop_too_early, and
// ReasonReplayed.
const (
	ReasonWrongKey  Reason = "wrong_key"  // of a proof by another key than what is redeemed is bound to, or none; invalid_grant
	ReasonDPoPNonce Reason = "dpop_nonce" // missing, or too old
)

// Reasons of step 3, permit.
const (
	ReasonMissingGrantType     Reason = "missing_grant_type"
	ReasonUnsupportedGrantType Reason = "unsupported_grant_type"
	ReasonGrantTypeNotAllowed  Reason = "grant_type_not_allowed" // unauthorized_client
	ReasonMalformedScope       Reason = "malformed_scope"
	ReasonScopeNotAllowed      Reason = "scope_not_allowed"    // not among the client's scopes
	ReasonUnknownScope         Reason = "unknown_scope"        // the client has it, the scope store does not
	ReasonMalformedACR         Reason = "malformed_acr_values" // or two tenants, or two identity providers
	ReasonMalformedResource    Reason = "malformed_resource"
	ReasonResourceNotAllowed   Reason = "resource_not_allowed" // of no scope that the client may have
)

// Reasons of steps 4 and 5, the grant and its token.
const (
	ReasonUnauthenticated    Reason = "client_not_authenticated" // a public client asked for what needs proof
	ReasonNoScope            Reason = "no_scope"                 // nothing asked for and nothing to give by default
	ReasonIdentityScope      Reason = "identity_scope"           // an identity scope without a user
	ReasonScopeNotGranted    Reason = "scope_not_granted"        // more than the grant holds
	ReasonResourceNotGranted Reason = "resource_not_granted"     // more than the grant holds
	ReasonResourceNoScope    Reason = "resource_without_scope"   // a resource that no granted scope belongs to
	ReasonGrantTooWide       Reason = "grant_too_wide"           // a validator returned more than the client may have; server_error
	ReasonPolicyTooWide      Reason = "policy_too_wide"          // the policy widened what it may only narrow; server_error
	ReasonReservedName       Reason = "reserved_name"            // a claim or member of the endpoint's own was set; server_error
	ReasonUnencodable        Reason = "unencodable"              // a claim or member that JSON cannot say; server_error
	ReasonMalformedSubject   Reason = "malformed_subject"        // a validator or page named a user in a way that no token can; server_error
	ReasonLifetime           Reason = "lifetime_too_short"       // a client's lifetime is below a second; server_error
	ReasonTokenFormat        Reason = "access_token_format"      // the client's is unknown, or needs Config.Records; server_error
	ReasonNoValidatorResult  Reason = "no_result"                // a validator returned neither; server_error
)

// Reasons why what is to be redeemed, a code or a refresh token, is not, and why a token
// that is introspected is not active. The code is invalid_grant unless a comment says
// otherwise.
const (
	ReasonMissingParameter Reason = "missing_parameter"  // invalid_request
	ReasonUnknownHandle    Reason = "unknown_handle"     // made up, or collected since
	ReasonNotAccessToken   Reason = "not_access_token"   // a refresh token, where only access tokens count; {"active":false}
	ReasonOtherClient      Reason = "other_client"       // another client's
	ReasonExpired          Reason = "expired"            // it was right, once
	ReasonRevoked          Reason = "revoked"            // with everything of its family
	ReasonReused           Reason = "reused"             // spent already; its family is revoked now, unless it was polled for
	ReasonRedirectURI      Reason = "wrong_redirect_uri" // not that of the authorization request
	ReasonVerifier         Reason = "wrong_verifier"     // missing, or not that of the challenge
	ReasonVerifierSyntax   Reason = "malformed_verifier" // or there was no challenge; invalid_request
	ReasonConflict         Reason = "conflict"           // others were first, twice; temporarily_unavailable (503)
	ReasonCorrupt          Reason = "corrupt_record"     // what is kept cannot be read; server_error
	ReasonUserRefused      Reason = "user_refused"       // by Config.Users
)

// Reasons of grants that users decide on elsewhere, and of passwords.
const (
	ReasonPending         Reason = "pending"          // authorization_pending: nobody has decided
	ReasonEarly           Reason = "early"            // slow_down: polled before its interval was over
	ReasonApproved        Reason = "approved"         // of a decision: the user said yes
	ReasonDenied          Reason = "denied"           // of a decision: the user said no; of a poll: access_denied
	ReasonDecided         Reason = "decided"          // invalid_grant: it was approved or denied already
	ReasonMalformedHint   Reason = "malformed_hint"   // no hint, several, or one that cannot be read; invalid_request
	ReasonMalformedOption Reason = "malformed_option" // requested_expiry, binding_message, client_notification_token or user_code
	ReasonWrongPassword   Reason = "wrong_password"   // or no such user; invalid_grant
)

// Reasons of every step: none of them is a verdict on the request.
const (
	ReasonStoreUnavailable    Reason = "store_unavailable"    // 503
	ReasonThrottleUnavailable Reason = "throttle_unavailable" // 503
	ReasonKeysUnavailable     Reason = "keys_unavailable"     // 503
	ReasonNoSigningKey        Reason = "no_signing_key"       // no key may sign now; server_error
	ReasonTimeout             Reason = "timeout"              // 503
	ReasonCallerGone          Reason = "caller_gone"          // the connection ended before the answer
	ReasonPanic               Reason = "panic"                // server_error
	ReasonInternal            Reason = "internal"             // server_error
)
