-- Appends audit rows that go with no other change.
-- KEYS  1 the audit log
-- ARGV  sealed rows
-- Gives the number of rows.
return redis.call('RPUSH', KEYS[1], unpack(ARGV))
