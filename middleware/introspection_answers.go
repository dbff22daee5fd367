package middleware

import (
	"container/list"
	"time"
)

const (
	maxAnswers     = 10_000
	maxAnswersSize = 32 << 20 // octets of all
)

// answers are those of the issuer that are still believed. The zero value is empty.
type answers struct {
	elements map[digest]*list.Element // of order, by token
	order    list.List                // of *kept, the oldest first
	size     int                      // octets
}

type kept struct {
	key         digest
	answer      []byte // not altered
	asked, ends time.Time
}

// good is false for a time before the answer, too: a clock that was set back says
// nothing of its age.
func (k *kept) good(now time.Time) bool { return !now.Before(k.asked) && now.Before(k.ends) }

// get returns the answer about a token.
func (a *answers) get(key digest, now time.Time) (answer []byte, ok bool) {
	element := a.elements[key]
	if element == nil || !element.Value.(*kept).good(now) {
		return nil, false
	}
	return element.Value.(*kept).answer, true
}

// keep adds an answer, in the place of an earlier one about the same token if there is
// one, and drops the oldest, first those that have ended.
func (a *answers) keep(key digest, answer []byte, asked, ends time.Time) {
	if element := a.elements[key]; element != nil {
		a.drop(element)
	}
	for oldest := a.order.Front(); oldest != nil && !asked.Before(oldest.Value.(*kept).ends); oldest = a.order.Front() {
		a.drop(oldest)
	}
	if !asked.Before(ends) {
		return
	}
	for a.order.Len() >= maxAnswers || a.size+len(answer) > maxAnswersSize {
		a.drop(a.order.Front())
	}
	if a.elements == nil {
		a.elements = make(map[digest]*list.Element)
	}
	a.elements[key] = a.order.PushBack(&kept{key, answer, asked, ends})
	a.size += len(answer)
}

func (a *answers) drop(element *list.Element) {
	k := a.order.Remove(element).(*kept)
	delete(a.elements, k.key)
	a.size -= len(k.answer)
}
