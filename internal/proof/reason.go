package proof

// Reason says why a DPoP proof is refused: a stable word for logs and counters. It
// is itself the error and holds nothing of the proof.
type Reason string

// The reasons.
const (
	Absent         Reason = "dpop_absent"
	Repeated       Reason = "dpop_repeated"  // more than one header
	TooLong        Reason = "dpop_too_long"  // over 8 KiB
	Malformed      Reason = "dpop_malformed" // not one JWS in compact serialisation, of JSON objects
	WrongType      Reason = "dpop_typ"
	WrongAlgorithm Reason = "dpop_alg"
	WrongKey       Reason = "dpop_jwk" // none, not public, or not for the algorithm
	WrongSignature Reason = "dpop_signature"
	WrongClaims    Reason = "dpop_claims" // one is missing, of the wrong type or too long
	WrongMethod    Reason = "dpop_htm"
	WrongURL       Reason = "dpop_htu"
	TooOld         Reason = "dpop_too_old"
	TooEarly       Reason = "dpop_too_early"
)

// Error makes a Reason an error.
func (r Reason) Error() string { return string(r) }
