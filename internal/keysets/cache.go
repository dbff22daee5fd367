package keysets

import (
	"container/list"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

const maxURLs = 10_000

// cache holds the entries of the URLs that were used last. Its zero value is empty.
type cache struct {
	elements map[string]*list.Element // of used, by URL
	used     list.List                // of *entry, the last used first
}

// entry is what is known of a URL. One that was dropped from the cache serves those
// who have it already.
type entry struct {
	url   string
	known bool       // a set was fetched
	keys  []jose.JWK // of it; replaced and not altered
	fresh time.Time  // when the set is to be fetched again

	err      error     // of the last fetch; nil if it succeeded
	failures int       // without a success since
	retry    time.Time // when there may be a fetch after a failure

	sought time.Time // when there was a fetch for a key that was not in the set
	flight *flight   // nil if no fetch is under way
}

// entry returns that of a URL, which is now the last used.
func (c *cache) entry(url string) *entry {
	if element, ok := c.elements[url]; ok {
		c.used.MoveToFront(element)
		return element.Value.(*entry)
	}
	if c.elements == nil {
		c.elements = make(map[string]*list.Element)
	}
	if c.used.Len() == maxURLs {
		oldest := c.used.Back()
		delete(c.elements, c.used.Remove(oldest).(*entry).url)
	}
	e := &entry{url: url}
	c.elements[url] = c.used.PushFront(e)
	return e
}
