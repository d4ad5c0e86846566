-- Cuts the oldest rows of an audit log off, with their links, and notes where the log begins from then on.
-- KEYS  1 the line's prefix
-- ARGV  1 token of this call, 2 token of the lease under which the log is chained, 3 how many rows go, 4 the beginning as
--       it was read ("" for none), 5 the new beginning, sealed, 6 and 7 the first row and the first link that
--       go, 8 the sealed row that tells of it
-- Gives 1, also for a repeat, or 0 when the lease is lost or the log no longer begins where it did.
-- include audit.lua
local P, n = KEYS[1], ARGV[3]
local begins = redis.call('GET', P .. 'audit:begins') or ''
if begins ~= ARGV[5] then
  if redis.call('GET', P .. 'audit:lease') ~= ARGV[2] or begins ~= ARGV[4] then return 0 end
  log(P, ARGV[1], 8)
  redis.call('SET', P .. 'audit:begins', ARGV[5])
end
-- No two rows are alike, nor two links: what was cut already is not cut again by the repeat of a call that ended half-way.
if redis.call('LINDEX', P .. 'audit', 0) == ARGV[6] then redis.call('LTRIM', P .. 'audit', n, -1) end
if redis.call('LINDEX', P .. 'audit:chain', 0) == ARGV[7] then redis.call('LTRIM', P .. 'audit:chain', n, -1) end
return 1
