package proof

import (
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// maxDN bounds a name that is registered.
const maxDN = 4096 // bytes

// parseDN reads the string form of a distinguished name (RFC 4514 section 3). Space
// around separators that is not escaped is no part of a value, though the RFC has
// none there: other tools write it. It returns nil for what is malformed, and for
// the empty name.
func parseDN(dn string) [][]attribute {
	if len(dn) > maxDN || strings.Contains(dn, "\x00") {
		return nil
	}
	var names [][]attribute
	for _, part := range splitUnescaped(dn, ',') {
		var name []attribute
		for _, one := range splitUnescaped(part, '+') {
			a, ok := parseAttribute(one)
			if !ok {
				return nil
			}
			name = append(name, a)
		}
		names = append(names, name)
	}
	return names
}

// splitUnescaped splits at a separator that no backslash stands before.
func splitUnescaped(s string, separator byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

func parseAttribute(s string) (attribute, bool) {
	name, raw, ok := strings.Cut(s, "=")
	oid, known := types[strings.ToUpper(strings.Trim(name, " "))]
	if !known {
		oid = strings.Trim(name, " ")
	}
	if !ok || !isASCII(name) || !known && !isOID(oid) {
		return attribute{}, false
	}
	raw = strings.TrimLeft(raw, " ")
	parse := parseString
	if strings.HasPrefix(raw, "#") {
		parse = parseHex
	}
	v, ok := parse(raw)
	return attribute{oid, v}, ok
}

// isOID tells a numericoid (RFC 4512 section 1.4).
func isOID(s string) bool {
	arcs := strings.Split(s, ".")
	for _, arc := range arcs {
		if arc == "" || strings.Trim(arc, "0123456789") != "" || len(arc) > 1 && arc[0] == '0' {
			return false
		}
	}
	return len(arcs) > 1
}

// parseHex reads "#" and the DER of a value in hexadecimal.
func parseHex(s string) (value, bool) {
	der, err := hex.DecodeString(strings.TrimRight(s[1:], " "))
	if err != nil {
		return value{}, false
	}
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(der, &raw)
	return valueOf(raw), err == nil && len(rest) == 0
}

// parseString undoes the escapes of a value: a backslash and the character itself,
// or two hexadecimal digits for each octet of UTF-8.
func parseString(s string) (value, bool) {
	var b strings.Builder
	end := 0 // of b without the space at its end that was not escaped
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case strings.IndexByte(`"+,;<>`, c) >= 0:
			return value{}, false
		case c != '\\':
		case i+1 < len(s) && strings.IndexByte(` "#+,;<=>\`, s[i+1]) >= 0:
			i++
			c = s[i]
			end = b.Len() + 1
		default:
			octet, ok := unhex(s[i+1:])
			if !ok {
				return value{}, false
			}
			i += 2
			c = octet
			end = b.Len() + 1
		}
		if b.WriteByte(c); c != ' ' {
			end = b.Len()
		}
	}
	text := b.String()[:end]
	return value{text: text}, utf8.ValidString(text)
}
