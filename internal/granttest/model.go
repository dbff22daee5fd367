package granttest

import "time"

// action is something that happens to what a client has asked for.
type action string

const (
	early   action = "poll early"    // a moment before the next poll is in time, or at once
	late    action = "poll late"     // as soon as it is in time
	approve action = "approve"       // by the user
	deny    action = "deny"          // by the user
	expire  action = "expire"        // the clock comes to the end
	other   action = "poll by other" // by another client, at once
)

var actions = []action{early, late, approve, deny, expire, other}

// state is where it stands. The fields of a record make more of them than the three
// that package store names.
type state string

const (
	asked    state = "asked"    // never polled for
	polled   state = "polled"   // polled for, and nobody was early since
	hurried  state = "hurried"  // polled for, and somebody was early since
	approved state = "approved" // and not yet redeemed
	denied   state = "denied"
	redeemed state = "redeemed"
	lapsed   state = "lapsed" // it ended before anybody decided
	missed   state = "missed" // it ended after it was decided and before it was redeemed
)

// outcome is the answer to an action and the state that follows. An answer to a poll is
// "tokens" or the error of a 400; one to a user is "" or the Reason of an error.
type outcome struct {
	answer string
	next   state
}

// The answers.
const (
	pending = "authorization_pending"
	slow    = "slow_down"
	invalid = "invalid_grant"
	ended   = "expired_token"
	refused = "access_denied"
	decided = "decided"
)

// model is what ought to happen (RFC 8628 section 3.5, CIBA section 11). The first poll
// is never early; the first early one after a poll in time makes the interval five
// seconds longer and more of them change nothing; another client changes nothing; the
// first decision counts and the last state is final; what is spent is told from what
// has ended, and what has ended from what is undecided or denied.
var model = map[state]map[action]outcome{
	asked: {
		early: {pending, polled}, late: {pending, polled},
		approve: {"", approved}, deny: {"", denied}, expire: {"", lapsed}, other: {invalid, asked},
	},
	polled: {
		early: {slow, hurried}, late: {pending, polled},
		approve: {"", approved}, deny: {"", denied}, expire: {"", lapsed}, other: {invalid, polled},
	},
	hurried: {
		early: {slow, hurried}, late: {pending, polled},
		approve: {"", approved}, deny: {"", denied}, expire: {"", lapsed}, other: {invalid, hurried},
	},
	approved: {
		early: {"tokens", redeemed}, late: {"tokens", redeemed},
		approve: {decided, approved}, deny: {decided, approved}, expire: {"", missed}, other: {invalid, approved},
	},
	denied: {
		early: {refused, denied}, late: {refused, denied},
		approve: {decided, denied}, deny: {decided, denied}, expire: {"", missed}, other: {invalid, denied},
	},
	redeemed: {
		early: {invalid, redeemed}, late: {invalid, redeemed},
		approve: {decided, redeemed}, deny: {decided, redeemed}, expire: {"", redeemed}, other: {invalid, redeemed},
	},
	lapsed: {
		early: {ended, lapsed}, late: {ended, lapsed},
		approve: {"expired", lapsed}, deny: {"expired", lapsed}, expire: {"", lapsed}, other: {invalid, lapsed},
	},
	missed: {
		early: {ended, missed}, late: {ended, missed},
		approve: {decided, missed}, deny: {decided, missed}, expire: {"", missed}, other: {invalid, missed},
	},
}

// slowDown is by how much the interval grows when polled becomes hurried, and jitter by
// how much a poll in time may be too early.
const slowDown = 5 * time.Second

func jitter(interval time.Duration) time.Duration { return min(time.Second, interval/5) }
