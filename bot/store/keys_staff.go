package store

// Keys of the staff area. They share the hash tag {staff}: no script touches it together with a line. Account
// names, addresses and tokens are personal or secret, so a key holds only their HMAC or SHA-256 in hex.

// StaffLine names the staff area where a method takes a line: the audit log of sign-ins and accounts.
const StaffLine = "staff"

// keyAccount is a HASH for as long as the account exists: "data" the sealed account, "link" the hash of the only
// one-time link that is valid, "code" the index of the officer's check code. Of a second factor: "fid" its id, "factor" the
// sealed factor, "fstep" the last step of 30 seconds whose code was used; of a request to reset it:
// "rid" its id, "reset" the sealed request, "runtil" until when in milliseconds.
func keyAccount(id string) string { return "{staff}:account:" + id }

// keyAccounts is a SET of all account ids, for ever.
func keyAccounts() string { return "{staff}:accounts" }

// keyOfficerCodes is a HASH from the index of an officer's check code to the account id, for ever.
func keyOfficerCodes() string { return "{staff}:codes" }

// keyLink is a HASH with a lifetime of its own: "account" its account id, "until" in milliseconds, and once it is
// spent "spent", the request that spent it.
func keyLink(hash string) string { return "{staff}:link:" + hash }

// keyThrottle is a ZSET of the tries within the window, by the token of their call, scored in microseconds; it lives as long as the window.
func keyThrottle(id string) string { return "{staff}:throttle:" + id }

// keyBucket is a STRING that lives until the bucket is full: the time at which it is, in microseconds, and the
// last call that took a token out.
func keyBucket(id string) string { return "{staff}:bucket:" + id }

// keySession is a STRING that lives as long as the session: the sealed session, or nothing at all when it was
// ended, so that a request that is still running cannot bring it back.
func keySession(hash string) string { return "{staff}:session:" + hash }

// keySessionsOf is a ZSET of an account's sessions scored by their expiry in milliseconds.
func keySessionsOf(account string) string { return "{staff}:sessions:" + account }

// keyOfficers is a HASH per line, for ever: account id to the sealed name of an officer who has held or opened a
// case of the line, so that the desk can say who. Associated data: key name.
func keyOfficers(line string) string { return lineKey(line) + "officers" }

// keyResultLock is a STRING for as long as one process works on a request at the desk that concerns several lines: its
// token.
func keyResultLock(line, digest string) string { return lineKey(line) + "resultlock:" + digest }

// keyKeyrings is a HASH, for ever: a serving process to "ms primary id,id": when it last said so, the number of the
// wrapping key that it wraps with, and those that it has. keys rotate waits for all that said so lately.
func keyKeyrings() string { return "{staff}:keyrings" }

// keyOps is a HASH, for ever: "backup", "drill", "restore", "verify" and "verify_broken" to the JSON of the last Op of that kind.
func keyOps() string { return "{staff}:ops" }
