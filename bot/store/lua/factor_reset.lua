-- Takes a second factor away, by a request that still stands.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the request, 2 now in milliseconds, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when the request was taken back, used or is too old.
-- include audit.lua
local f = redis.call('HMGET', KEYS[1], 'rid', 'runtil', 'rby')
if f[1] ~= ARGV[1] then return f[3] == ARGV[3] and 1 or 0 end
if tonumber(f[2]) <= tonumber(ARGV[2]) then return 0 end
redis.call('HDEL', KEYS[1], 'fid', 'factor', 'fstep', 'fby', 'rid', 'reset', 'runtil')
redis.call('HSET', KEYS[1], 'rby', ARGV[3])
audit(KEYS[2], ARGV[3], 4)
return 1
