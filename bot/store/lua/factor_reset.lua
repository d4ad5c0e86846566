-- Takes a second factor away, by a request that still stands.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the request, 2 now in milliseconds, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when the request was taken back, used or is too old.
-- include audit.lua
if repeated(KEYS[2], ARGV[3]) then return 1 end
local f = redis.call('HMGET', KEYS[1], 'rid', 'runtil')
if f[1] ~= ARGV[1] or tonumber(f[2]) <= tonumber(ARGV[2]) then return 0 end
log(KEYS[2], ARGV[3], 4)
redis.call('HDEL', KEYS[1], 'fid', 'factor', 'fstep', 'rid', 'reset', 'runtil')
remember(KEYS[2], ARGV[3])
return 1
