package bot

import "time"

// Upkeep is one thing that has to be done now and then, so that the data survives: a backup, a drill, a look at the audit
// log.
type Upkeep struct {
	What string        // backup, drill, verify
	At   time.Time     // when it last succeeded; zero for never
	Old  time.Duration // the age from which on it is overdue
	// Failed is when a try last found what must not be; zero for never.
	Failed time.Time
}
