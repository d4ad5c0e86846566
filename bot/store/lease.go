package store

// fence is the lease on which a channel account's work hangs in this process.
type fence struct {
	name  string
	token int64
}
