package store

// Every key of a line begins with its hash tag, {kh}, so that one script may touch them all and a Cluster keeps
// them on one node. An id in a key name is a ULID (cases, rows) or an HMAC (contacts, values): nobody's name,
// number or place. Times in scores and fields are Unix milliseconds unless said otherwise. The scripts below lua/
// build the names from the same prefixes; a test compares the two.
//
// The case record, keyCase, is a HASH. A field that would be "" is not in it:
//
//	v     version, 1 for a new case; every write adds one
//	k     the case's data key, wrapped by the key file; gone after an erasure
//	s     the sealed casework.Case (JSON), associated data: key name, "s", v
//	code  the case's code as it is shown, K7M4-692Q
//	m     competent mission
//	c     class in force, P1 … P4
//	due   when the next human act is due
//	cr    created at
//	cl    closed at, "" while open
//	lat   not offered before (scheduled attempt), "" for now
//	p1    since when it is P1, "" otherwise
//	rd    last read by an officer, "" for never
//	f     "1" when a woman officer was asked for
//	st    settled at (no human act is due), "" otherwise
//	pr    a time promised to the person, "" for none
//	w     safe windows in which a call is allowed, as "540-600,1260-1320" in minutes of the
//	      mission's local day, "" for none
//	bx    the values in keyBlind by which the case is found, separated by a space
//	of    code of the mission that was asked to take the case over, "" for none; ofa since when
//	by    officer who holds the lease, absent when nobody does: Store.accountID(name), a name being personal data;
//	      a commit passes accountID(Change.Claim). keyOfficers has the names, sealed
//	sin   since when
//	unt   until when
//
// Where an open case stands: in exactly one of keyQueue of its class (offered now), keyQueueLater (lat in the future),
// keyQueueClaimed (by is set), keyQueueSettled; one that is later or claimed also in keyQueueAway of its class. What is offered now stands also in keyQueueClosing, keyQueuePromised and keyQueueFemale of its
// class where they apply. lua/place.lua moves it; scripts that claim, release or expire include it. A case that is
// offered to another mission stays where it is and is listed in that mission's keyQueueOffered as well.

// lineKey begins every key of a line.
func lineKey(line string) string { return "{" + line + "}:" }

// keyConv is a HASH for as long as the contact is known, one per contact:
//
//	v     version of the conversation, absent before the first
//	k     the contact's data key, wrapped
//	a     the sealed bot.Contact (JSON), associated data: key name, "a"
//	s     the sealed flows.State (JSON), associated data: key name, "s", v
//	cid   the id of the case that the state fills, "" for none
//	sh    when the person was shown the last prompt, if it had buttons; 0 otherwise
//	acct  the account of the channel, under which the contact is scheduled
//	in    the person's last own message
//	x     the lane in which the contact is scheduled, absent when it is not
//	lt    the token of the lease under which its first row is being sent, absent when none
//	hb    "0" when no row of the contact is held back (keyHeldBy), "1" or absent when there may be one
func keyConv(line, contact string) string { return lineKey(line) + "conv:" + contact }

// keySeen is a ZSET per contact, trimmed to 14 days, scored by the Unix second: the digest of every request that was
// committed (a negative number), "i"+the messenger's id of an inbound message (a decimal one without the i), and
// "o"+id+" "+row+" "+case of a sent one unless its case names the contact: then the states of that case's rows have it
// (keyRowStates).
func keySeen(line, contact string) string { return lineKey(line) + "seen:" + contact }

// keyRequests is a ZSET of the digests of requests that were made for no contact (desk, timers), trimmed to 14 days,
// scored by the Unix second.
func keyRequests(line string) string { return lineKey(line) + "requests" }

// keyResult is a STRING that lives for a day: what a request at the desk gave back, for its repeat. That of a call without a
// request is "1" and lives for an hour.
func keyResult(line, digest string) string { return lineKey(line) + "result:" + digest }

// keyCase is the HASH described above, until the case is erased.
func keyCase(line, id string) string { return lineKey(line) + "case:" + id }

// keyTimeline is a LIST of sealed bot.Entry (JSON), oldest first, each "entry id:sealed"; associated data: key
// name, entry id. As long as the case.
func keyTimeline(line, id string) string { return lineKey(line) + "timeline:" + id }

// keyRowStates is a HASH per case: row id to "state ms provider-id", as long as the case. The content of a row that
// was not sent is in keyRows.
func keyRowStates(line, id string) string { return lineKey(line) + "rowstates:" + id }

// keyViewers is a ZSET of officers who have the case open, scored by when they were last seen; expires by itself.
func keyViewers(line, id string) string { return lineKey(line) + "viewers:" + id }

// keyCodes is a HASH from case code to case id, for ever: a code is never given twice. The id of an erased case
// is "".
func keyCodes(line string) string { return lineKey(line) + "codes" }

// keyBlind is a HASH from "kind:blind" to the ids of the cases that share a value, separated by a space; blind is
// Keyring.Blind of it, of a contact its name. Kinds: phone, passport, nik, contact, group (a join code). As long as such
// a case. One key for all: a SET of one id each would take 145 bytes more.
func keyBlind(line string) string { return lineKey(line) + "blind" }

// keyQueue is a ZSET per mission and class: cases that are offered now, scored by due time.
func keyQueue(line, mission, class string) string {
	return lineKey(line) + "queue:" + mission + ":" + class
}

// keyQueueAway is a ZSET per mission and class: cases on which an act is due and that are not offered now, because they
// are claimed or for later, scored by due time. With keyQueue they are all of the class.
func keyQueueAway(line, mission, class string) string {
	return lineKey(line) + "queue:" + mission + ":away:" + class
}

// keyQueueLater is a ZSET per mission: open cases with a scheduled attempt, scored by when they are offered again.
func keyQueueLater(line, mission string) string { return lineKey(line) + "queue:" + mission + ":later" }

// keyQueueClaimed is a ZSET per mission: cases that an officer holds, scored by the end of the lease.
func keyQueueClaimed(line, mission string) string {
	return lineKey(line) + "queue:" + mission + ":claimed"
}

// keyQueueSettled is a ZSET per mission: open cases on which no human act is due, scored by their last due time.
func keyQueueSettled(line, mission string) string {
	return lineKey(line) + "queue:" + mission + ":settled"
}

// keyQueueClosing is a ZSET per mission and class: one member "case id|n" for each safe window of a case that is
// offered now, scored by the minute of the mission's local day at which that window closes (so it never goes stale,
// and a change of the clocks moves it along).
func keyQueueClosing(line, mission, class string) string {
	return lineKey(line) + "queue:" + mission + ":closing:" + class
}

// keyQueuePromised is a ZSET per mission and class: cases that are offered now, scored by the time promised to the
// person.
func keyQueuePromised(line, mission, class string) string {
	return lineKey(line) + "queue:" + mission + ":promised:" + class
}

// keyQueueFemale is a ZSET per mission and class: cases that are offered now and ask for a woman officer, scored by
// due time.
func keyQueueFemale(line, mission, class string) string {
	return lineKey(line) + "queue:" + mission + ":female:" + class
}

// keyQueueOffered is a ZSET per mission: open cases of other missions that it is asked to take over, scored by since
// when.
func keyQueueOffered(line, mission string) string {
	return lineKey(line) + "queue:" + mission + ":offered"
}

// keyTurns is a STRING per mission: how often Next was asked, for the turn of an overdue P3 or P4.
func keyTurns(line, mission string) string { return lineKey(line) + "queue:" + mission + ":turns" }

// keySeq is a STRING per mission: the number of its last change; keyEvents is its channel of "seq kind".
func keySeq(line, mission string) string    { return lineKey(line) + "seq:" + mission }
func keyEvents(line, mission string) string { return lineKey(line) + "events:" + mission }

// keyTimers is a ZSET of timers by due time: "name|case id" or "c|name|contact". A taken one is scored by the end
// of its lease less half a millisecond, and its own time is in the HASH keyTimersTaken. keyTimersLast is a STRING: the token and the result
// of the last take, for its repeat.
func keyTimers(line string) string      { return lineKey(line) + "timers" }
func keyTimersTaken(line string) string { return lineKey(line) + "timers:taken" }
func keyTimersLast(line string) string  { return lineKey(line) + "timers:last" }

// keyRows is a HASH of every row that was not sent yet, or never could be: row id to "lane not-before state attempts
// contact account case created why\nsealed" (see row.go); sealed with the contact's data key, associated data: key
// name, row id.
func keyRows(line string) string { return lineKey(line) + "rows" }

// keyWaiting is a LIST per contact of waiting row ids in order, each behind the digit of its lane; the first is the
// one being sent.
func keyWaiting(line, contact string) string { return lineKey(line) + "waiting:" + contact }

// keyHeldBy is a LIST per contact of parked row ids in order.
func keyHeldBy(line, contact string) string { return lineKey(line) + "heldby:" + contact }

// keyHeld and keyDead are ZSETs of row ids: held rows by when they were held, dead letters (failed or unknown) by
// when they died. For staff.
func keyHeld(line string) string { return lineKey(line) + "held" }
func keyDead(line string) string { return lineKey(line) + "dead" }

// keyLane is a ZSET per account and lane ("0" … "4"): contacts whose first waiting row wants to leave, by when.
func keyLane(line, account, lane string) string {
	return lineKey(line) + "out:" + account + ":" + lane
}

// keyLeased is a ZSET per account: contacts whose first row is being sent, by the end of the lease.
func keyLeased(line, account string) string { return lineKey(line) + "out:" + account + ":leased" }

// keyParked is a ZSET per account: held rows by when they may be asked again; those that wait for the person alone
// are not in it.
func keyParked(line, account string) string { return lineKey(line) + "out:" + account + ":parked" }

// keyFreeze is a STRING per account: no row leaves before that time. keyTakeLast is a STRING: the token
// of the last take that took something.
func keyFreeze(line, account string) string   { return lineKey(line) + "out:" + account + ":freeze" }
func keyTakeLast(line, account string) string { return lineKey(line) + "out:" + account + ":last" }

// keyBeat is a STRING per account: when its channel was last known to be heard.
func keyBeat(line, account string) string { return lineKey(line) + "beat:" + account }

// keyNumbers is a HASH, for ever: account to "number ms", the highest number of an update of a messenger that counts
// them, and when it came. keyMissing is a ZSET per account of the numbers below it that did not come, "17" or "17-20",
// by when that was noticed; they leave it when they come, or when staff were told.
func keyNumbers(line string) string          { return lineKey(line) + "numbers" }
func keyMissing(line, account string) string { return lineKey(line) + "missing:" + account }

// keyLease is a HASH per name of something that one process does at a time: own (its owner), tok (the fencing
// token, which only grows), unt (until). For ever, so that the token never falls back.
func keyLease(line, name string) string { return lineKey(line) + "lease:" + name }

// keyAsides is a ZSET of updates that were put aside, by time; keyAside a HASH of them, id to sealed bot.Aside
// (JSON), associated data: key name, id.
func keyAsides(line string) string { return lineKey(line) + "asides" }
func keyAside(line string) string  { return lineKey(line) + "aside" }

// keyLineKeys is a HASH of the line's own data keys, wrapped: "audit" seals the audit log, "aside" what was put
// aside. As long as the line.
func keyLineKeys(line string) string { return lineKey(line) + "keys" }

// keyMark is a HASH, for ever: mode (real or demo), schema (a number), check (a sealed word that only the right key
// file opens).
func keyMark() string { return "{staff}:mark" }

// keyProbe is a STRING of each process that lives for a minute: what a probe wrote, to be read back.
func keyProbe(line, process string) string { return lineKey(line) + "probe:" + process }
