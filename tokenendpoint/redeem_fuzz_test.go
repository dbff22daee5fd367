package tokenendpoint_test

import (
	"strings"
	"testing"
)

// FuzzRedemption sends what a stranger makes up in the place of codes, verifiers
// and refresh tokens, also pieces of real ones: no answer is a 5xx, none has a
// token, and what is real can still be redeemed (6749-10.3-01, 9700-4.14.2-05).
func FuzzRedemption(f *testing.F) {
	for _, handle := range []string{"", "c", "r", "x", strings.Repeat("A", 65), "c" + strings.Repeat("A", 64), "r" + strings.Repeat("_", 64), "{code}", "{token}", "{code}A",
		"{token}\n", "r{code}", "{token}{token}", " {code}", "c" + strings.Repeat("A", 63) + "=", "\x00", "c" + strings.Repeat("\u00e9", 32)} {
		for _, verifier := range []string{"", redeemVerifier, redeemChallenge, strings.Repeat("~", 128), "x"} {
			f.Add(handle, verifier, "https://app.example/callback", "", uint8(3), uint8(5))
		}
	}
	f.Fuzz(func(t *testing.T, handle, verifier, redirect, scope string, at, bits uint8) {
		d := newDesk(t)
		code, token := d.code("web"), d.signIn("web").refresh()
		var tampered []string
		for _, real := range []string{code, token} { // one bit of a real one
			b := []byte(real)
			b[int(at)%len(b)] ^= bits | 1
			tampered = append(tampered, string(b))
		}
		handle = strings.NewReplacer("{code}", code, "{token}", token).Replace(handle)
		for _, made := range append(tampered, handle) {
			if made == code || made == token {
				continue
			}
			for _, client := range []string{"web", "app"} {
				parameters := []string{"code", made, "refresh_token", made, "code_verifier", verifier, "redirect_uri", redirect, "scope", scope}
				for _, grantType := range []string{"authorization_code", "refresh_token"} {
					if answer := d.ask(t.Context(), client, deskForm(grantType, parameters)); answer.status >= 500 || answer.status < 400 {
						t.Fatalf("answered %d %s to %q", answer.status, answer.body, made)
					}
				}
			}
			if strings.Contains(d.log.String(), made) && len(made) >= 20 {
				t.Errorf("the log has %q in it: %s", made, d.log)
			}
		}
		if verifier != redeemVerifier {
			parameters := []string{"code", code, "code_verifier", verifier, "redirect_uri", redirect}
			if answer := d.ask(t.Context(), "web", deskForm("authorization_code", parameters)); answer.status != 400 {
				t.Fatalf("answered %d %s to the verifier %q", answer.status, answer.body, verifier)
			}
		}
		d.want(d.redeem("web", code), 200, "")
		d.want(d.refresh("web", token), 200, "")
	})
}
