package grants

import "context"

// OnPost has notifications end in a function instead of on the network.
func (c *CIBA) OnPost(post func(ctx context.Context, url, bearer string, body []byte) (status int, err error)) {
	c.pings.start(c.guard())
	c.pings.post = post
}

// The bounds on notifications.
const (
	PingTimeout = pingTimeout
	MostPings   = mostPingsOfOne
	MostAtOnce  = mostAtOnceOfOne
)
