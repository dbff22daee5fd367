// Package memory keeps clients, scopes, grants and ids that may be used once in
// memory: for tests, for services whose clients stand in a file that is read at
// start, and as the reference for adapters. Nothing survives the process.
//
// The zero values of [Clients], [Scopes], [Grants] and [Replays] are empty stores. All
// are safe for concurrent use and must not be copied after first use.
package memory

import "slices"

// own returns a copy of s that shares no memory with it. It has no spare
// capacity: two goroutines that append to what they were given must not write
// into the same array.
func own[E any](s []E) []E {
	return slices.Clip(slices.Clone(s))
}
