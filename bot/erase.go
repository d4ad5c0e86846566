package bot

import "time"

// EraseAsk asks to erase a case for good. It needs a second person.
type EraseAsk struct {
	Code      string
	By        string // who asks
	Reason    string
	At, Until time.Time
}

// EraseAskLife is how long a request to erase a case may be confirmed.
const EraseAskLife = 72 * time.Hour
