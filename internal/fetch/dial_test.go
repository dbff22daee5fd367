package fetch

import (
	"errors"
	"net/http"
	"testing"
)

func TestTheAddressThatIsDialledIsJudged(t *testing.T) {
	post := func(t *testing.T, client *http.Client, url string) (int, error) {
		t.Helper()
		defer client.CloseIdleConnections() // so that the next one dials
		return Post(t.Context(), client, url, token, []byte(secretBody))
	}

	t.Run("a name of an inner address is refused", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		client := e.trusting(t, Guard{})
		for _, address := range []string{"127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"} {
			resolve(t, address)
			if status, err := post(t, client, e.at("client.example.com")); status != 0 || !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %d, %v, want a refusal", address, status, err)
			}
		}
		if n := e.connections.Load(); n != 0 {
			t.Errorf("%d connections were made", n)
		}
	})

	t.Run("the name localhost is refused", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		if _, err := post(t, e.trusting(t, Guard{}), e.at("localhost")); !errors.Is(err, ErrRefused) || e.connections.Load() != 0 {
			t.Errorf("%v, %d connections, want a refusal and none", err, e.connections.Load())
		}
	})

	t.Run("a name that was harmless is judged again", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		client := e.trusting(t, Guard{Inside: prefixes("127.0.0.1/32")})
		dns := resolve(t, "127.0.0.1")
		if status, err := post(t, client, e.at("client.example.com")); status != http.StatusNoContent || err != nil {
			t.Fatalf("%d, %v, want 204: the rest would prove nothing", status, err)
		}
		dns.are("127.0.0.2")
		if status, err := post(t, client, e.at("client.example.com")); status != 0 || !errors.Is(err, ErrRefused) {
			t.Errorf("%d, %v, want a refusal", status, err)
		}
	})

	// Nobody listens at the address that may be dialled, and the endpoint is at the other.
	t.Run("each of several addresses is judged", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		client := e.trusting(t, Guard{Inside: prefixes("127.0.0.2/32")})
		resolve(t, "127.0.0.1", "127.0.0.2")
		if status, err := post(t, client, e.at("client.example.com")); status != 0 || err == nil {
			t.Errorf("%d, %v, want an error", status, err)
		}
		if n := e.connections.Load(); n != 0 {
			t.Errorf("%d connections were made", n)
		}
	})

	t.Run("a name without an address is an outage", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		resolve(t)
		if status, err := post(t, e.trusting(t, Guard{}), e.at("client.example.com")); status != 0 || err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%d, %v, want an outage", status, err)
		}
	})

	t.Run("a refused connection is an outage", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		e.Close()
		if status, err := post(t, loopback4.Client(), e.URL); status != 0 || err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%d, %v, want an outage", status, err)
		}
	})

	t.Run("the proxy of the environment is not asked", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		resolve(t, "127.0.0.1")
		status, err := post(t, e.trusting(t, loopback4), e.at("client.example.com"))
		if status != http.StatusNoContent || err != nil || viaProxy.Load() != 0 {
			t.Errorf("%d, %v, %d requests came to the proxy, want 204 and none", status, err, viaProxy.Load())
		}
	})
}

func TestTheClientJudgesEveryURL(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1/", "http://client.example.com/", "https://user@client.example.com/", "https://10.0.0.1/", "ftp://x/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := (Guard{}).Client().Do(req); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, %v, want a refusal", url, resp, err)
		}
		if status, err := Post(t.Context(), (Guard{}).Client(), url, token, nil); status != 0 || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: Post returned %d, %v, want a refusal", url, status, err)
		}
	}
}
