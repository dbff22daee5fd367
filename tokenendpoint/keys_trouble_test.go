package tokenendpoint_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// A link could lead to a key that somebody else wrote, and a pipe would hang.
func TestAKeyThatIsNoRegularFileIsRefused(t *testing.T) {
	for _, target := range []string{"nowhere", "signing-key-000001.json"} {
		dir, clock := t.TempDir(), newKeysClock(keysStart)
		keysKids(t, keysQuick(dir, clock))
		link := filepath.Join(dir, "signing-key-000002.json")
		if err := os.Symlink(filepath.Join(dir, target), link); err != nil {
			t.Fatal(err)
		}
		if _, err := keysQuick(dir, clock).Keys(t.Context()); err == nil || !strings.Contains(err.Error(), link) {
			t.Errorf("a link to %s: got %v, want an error that names it", target, err)
		}
	}
}

func TestAFolderThatOthersCanWriteToIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	for _, mode := range []os.FileMode{0o720, 0o702, 0o777} {
		dir, clock := t.TempDir(), newKeysClock(keysStart)
		keysKids(t, keysQuick(dir, clock))
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := keysQuick(dir, clock).Keys(t.Context())
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("mode %04o: got %v, want an error that names the folder and the remedy", mode, err)
		}
	}
}

// A clock that was wrong once must not leave the others without a key.
func TestANodeWithAWrongClockStopsNobody(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"ahead": 25 * time.Hour, "far ahead": 5000 * time.Hour, "behind": -5000 * time.Hour} {
		t.Run("A node whose clock was "+name, func(t *testing.T) {
			dir, clock := t.TempDir(), newKeysClock(keysStart)
			right := keysEndpoint(t, keysQuick(dir, clock), clock)
			before, _ := keysToken(t, right)
			other := newKeysClock(keysStart.Add(wrong))
			keysToken(t, keysEndpoint(t, keysQuick(dir, other), other))
			for range 60 { // restarted every hour, with the right clock
				endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
				token, _ := keysToken(t, endpoint)
				keysVerify(t, keysPublished(t, endpoint), token)
				if wrong < 1000*time.Hour && clock.Now().Before(keysStart.Add(time.Hour)) {
					keysVerify(t, keysPublished(t, endpoint), before)
				}
				clock.Advance(time.Hour)
			}
		})
	}
}

// The newest key is over, and its file may be removed by the first who looks.
func TestNodesThatStartTogetherOnAnOldFolderAgree(t *testing.T) {
	for range 100 {
		dir, clock := t.TempDir(), newKeysClock(keysStart)
		keysKids(t, keysQuick(dir, clock))
		clock.Advance(1000 * time.Hour)
		var all sync.WaitGroup
		got := make([]string, 6)
		for i := range got {
			all.Go(func() { got[i] = keysKids(t, keysQuick(dir, clock)) })
		}
		all.Wait()
		for i := range got {
			if got[i] != got[0] {
				t.Fatalf("two have different keys: %q and %q", got[0], got[i])
			}
		}
	}
}

// A folder that is mended in time costs no request.
func TestARollThatFailedIsTriedAgainBeforeTheKeyIsOver(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	source := keysQuick(dir, clock)
	source.Logger = new(keysLog).Logger()
	endpoint := keysEndpoint(t, source, clock)
	keysWrite(t, dir, "signing-key-000009.json", "not JSON")
	clock.Advance(10*time.Hour - time.Second)
	keysToken(t, endpoint)
	if err := os.Remove(filepath.Join(dir, "signing-key-000009.json")); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	keysToken(t, endpoint)
}

func TestAKeyFileWhosePartsDoNotFitIsNamed(t *testing.T) {
	dir, clock := t.TempDir(), newKeysClock(keysStart)
	keysKids(t, keysQuick(dir, clock))
	whole := keysIn(t, dir)["signing-key-000001.json"]
	for _, edit := range [][2]string{
		{`"kid": "`, `"kidd": "`}, {`"alg": "ES256"`, `"alg": "RS256"`}, {`"publish_until"`, `"x"`}, {`"sign_until"`, `"y"`},
	} {
		other := t.TempDir()
		keysWrite(t, other, "signing-key-000001.json", strings.Replace(whole, edit[0], edit[1], 1))
		_, err := keysQuick(other, clock).Keys(t.Context())
		if err == nil || !strings.Contains(err.Error(), filepath.Join(other, "signing-key-000001.json")) {
			t.Errorf("with %s: got %v, want an error that names the file", edit[1], err)
		}
	}
}

func TestKeysThatWouldLeaveTheirTokensUnverifiableAreRefused(t *testing.T) {
	source := keysQuick("", newKeysClock(keysStart))
	source.PublishAfter = 59 * time.Second
	if _, err := source.Keys(t.Context()); err == nil || !strings.Contains(err.Error(), "PublishAfter") {
		t.Errorf("got %v, want an error that names PublishAfter", err)
	}
}

// A vault that hangs must not hold on to whoever asks for the key set.
func TestAKeySourceThatHangsIsGivenUp(t *testing.T) {
	clock, hangs := newKeysClock(keysStart), false
	config := keysConfig(keysHanging{keysQuick("", clock), &hangs}, clock)
	log := new(keysLog)
	config.Timeout, config.Logger = time.Millisecond, log.Logger()
	endpoint, err := tokenendpoint.New(config)
	if err != nil {
		t.Fatal(err)
	}
	hangs = true
	mux := http.NewServeMux()
	endpoint.Mount(mux)
	w := newKeysGet(mux, "https://shop.example/.well-known/openid-configuration/jwks")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(log.String(), "panic") {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	if _, err := tokenendpoint.New(config); err == nil || !strings.Contains(err.Error(), "Keys: ") {
		t.Errorf("New: got %v, want an error that names Keys", err)
	}
}

// keysHanging is a source that answers once nobody waits any more.
type keysHanging struct {
	tokenendpoint.KeySource
	hangs *bool
}

func (h keysHanging) Keys(ctx context.Context) ([]tokenendpoint.Key, error) {
	if *h.hangs {
		if _, bounded := ctx.Deadline(); !bounded {
			panic("this would hang for ever")
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.KeySource.Keys(ctx)
}

func TestAPanicOfTheKeySourceIsA503OfTheJWKS(t *testing.T) {
	clock, broken := newKeysClock(keysStart), false
	endpoint := keysEndpoint(t, keysPanicking{keysQuick("", clock), &broken}, clock)
	broken = true
	mux := http.NewServeMux()
	endpoint.Mount(mux)
	w := newKeysGet(mux, "https://shop.example/.well-known/openid-configuration/jwks")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
}
