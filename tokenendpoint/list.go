package tokenendpoint

import "slices"

// shortList is up to where looking along a list is faster than a map.
const shortList = 16

// lookup returns a function that tells whether a name is in list. Lists can be
// as long as a stranger makes them, so the work stays linear.
func lookup(list []string) func(name string) bool {
	if len(list) <= shortList {
		return func(name string) bool { return slices.Contains(list, name) }
	}
	set := make(map[string]bool, len(list))
	for _, name := range list {
		set[name] = true
	}
	return func(name string) bool { return set[name] }
}

// within reports whether every one of names is among set.
func within(names, set []string) bool {
	isIn := lookup(set)
	for _, name := range names {
		if !isIn(name) {
			return false
		}
	}
	return true
}

// unique returns list without repetition, in order.
func unique(list []string) []string {
	if len(list) <= 1 {
		return list
	}
	seen := make(map[string]bool, len(list))
	kept := make([]string, 0, len(list))
	for _, name := range list {
		if !seen[name] {
			seen[name] = true
			kept = append(kept, name)
		}
	}
	return kept
}
