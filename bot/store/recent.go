package store

import "sync"

// recent remembers values by key. Two generations bound its size.
type recent[K comparable, V any] struct {
	mu       sync.Mutex
	max      int
	new, old map[K]V
}

func newRecent[K comparable, V any](n int) *recent[K, V] {
	return &recent[K, V]{max: n, new: map[K]V{}}
}

func (c *recent[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.new[key]
	if !ok {
		if v, ok = c.old[key]; ok {
			c.putLocked(key, v)
		}
	}
	return v, ok
}

func (c *recent[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(key, v)
}

func (c *recent[K, V]) putLocked(key K, v V) {
	if len(c.new) >= c.max {
		c.old, c.new = c.new, make(map[K]V, c.max)
	}
	c.new[key] = v
}

// age lets what was not put since the last age go with the next one.
func (c *recent[K, V]) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.old, c.new = c.new, map[K]V{}
}

func (c *recent[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.new, key)
	delete(c.old, key)
}
