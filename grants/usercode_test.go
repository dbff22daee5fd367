package grants

import (
	"strings"
	"testing"
	"unicode"
)

// 8628-5.1-02, 8628-6.1-01: eight letters, without vowels and digits, each as likely
// as any other wherever it stands.
func TestUserCodesAreUniform(t *testing.T) {
	const codes = 40_000
	if letters := strings.Trim(userCodeLetters, "BCDFGHJKLMNPQRSTVWXZ"); letters != "" || len(userCodeLetters) != 20 {
		t.Fatalf("the letters are %q", userCodeLetters)
	}
	var count [userCodeLength][256]int
	seen := make(map[string]int)
	for range codes {
		code := newUserCode()
		if len(code) != 8 || strings.Trim(code, userCodeLetters) != "" {
			t.Fatalf("the code %q", code)
		}
		seen[code]++
		for i := range len(code) {
			count[i][code[i]]++
		}
	}
	// Of 40 000 codes each letter is expected 2000 times at each place, give or take 44:
	// beyond seven times that it is not by chance. A byte modulo 20, without more, would
	// make 16 of the letters 2031 and the rest 1875.
	for i := range count {
		chi := 0.0
		for _, letter := range []byte(userCodeLetters) {
			n := count[i][letter]
			if n < 1690 || n > 2310 {
				t.Errorf("%c is %d times at place %d, of %d", letter, n, i, codes)
			}
			chi += float64((n-2000)*(n-2000)) / 2000
		}
		if chi > 70 { // 19 degrees of freedom: one time in ten million
			t.Errorf("the letters at place %d are not as likely as each other: chi square %.0f", i, chi)
		}
	}
	if twice := codes - len(seen); twice > 10 { // 0.03 are expected
		t.Errorf("%d codes came twice", twice)
	}
}

// 8628-6.1-01: in any case, with spaces and punctuation wherever they fell.
func TestUserCodesAreReadAsPeopleTypeThem(t *testing.T) {
	for _, typed := range []string{
		"WDJBMJHT", "WDJB-MJHT", "wdjb-mjht", "wdjbmjht", "Wdjb Mjht", " WDJB MJHT ", "W D J B M J H T", "WDJB\u2013MJHT", "WDJB\u00a0MJHT",
		"(wdjb) mjht.", "WDJB\tMJHT\r\n", "WDJB_MJHT", "WDJB/MJHT", "\u201cWDJB-MJHT\u201d", "WDJB\u3000MJHT", "WDJB--MJHT",
	} {
		if code, ok := parseUserCode(typed); !ok || code != "WDJBMJHT" {
			t.Errorf("%q is read as %q, %v", typed, code, ok)
		}
	}
	for name, typed := range map[string]string{
		"nothing": "", "punctuation alone": "--------", "seven letters": "WDJBMJH", "nine letters": "WDJBMJHTB", "a vowel": "WDJBMJHA", "a Y": "WDJBMJHY",
		"a digit": "WDJBMJH8", "a Cyrillic letter": "WDJBMJH\u0422", "a Greek letter": "WDJBMJ\u0397T", "a full-width letter": "WDJBMJH\uff34",
		"a letter with an accent": "\u0174DJBMJHT", "a combining accent": "WDJBMJHT\u0301", "the sign of kelvin, whose lower case is k": "WDJBMJH\u212a", "a long s": "WDJBMJH\u017f",
		"a character without width": "WDJB\u200bMJHT", "a zero octet": "WDJB\x00MJHT", "an octet that is no UTF-8": "WDJB\xffMJHT", "a plus sign": "WDJB+MJHT", "65 octets": strings.Repeat(" ", 57) + "WDJBMJHT",
	} {
		if code, ok := parseUserCode(typed); ok {
			t.Errorf("%s: %q is read as %q", name, typed, code)
		}
	}
	if code, ok := parseUserCode(strings.Repeat(" ", 56) + "WDJBMJHT"); !ok {
		t.Errorf("64 octets are read as %q, %v", code, ok)
	}
}

func TestUserCodesAreShownInTwoParts(t *testing.T) {
	for code, want := range map[string]string{"WDJBMJHT": "WDJB-MJHT", "wdjb mjht": "WDJB-MJHT", "": "", "WDJ": "", "WDJBMJHA": ""} {
		if got := FormatUserCode(code); got != want {
			t.Errorf("%q is shown as %q, want %q", code, got, want)
		}
	}
}

// What is read as a code is one, is what was typed without the rest, and reads the same
// as it is shown.
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{"WDJB-MJHT", "wdjb mjht", "WDJBMJHA", "", "\u0422\xff", strings.Repeat("-", 60)} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseUserCode(typed)
		if !ok {
			return
		}
		var letters strings.Builder
		for _, r := range typed {
			switch {
			case r < 128 && unicode.IsLetter(r):
				letters.WriteRune(unicode.ToUpper(r))
			case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsControl(r) && !unicode.IsSpace(r):
				t.Errorf("%q is read although it has %q", typed, r)
			}
		}
		again, okAgain := parseUserCode(FormatUserCode(code))
		if len(code) != userCodeLength || strings.Trim(code, userCodeLetters) != "" || letters.String() != code || !okAgain || again != code {
			t.Errorf("%q is read as %q, and that as %q, %v", typed, code, again, okAgain)
		}
	})
}
