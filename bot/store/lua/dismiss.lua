-- Removes an update that was put aside.
-- KEYS  1 the line's prefix
-- ARGV  1 its id, 2 mission to tell, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when it is not there.
-- include place.lua
-- include audit.lua
local P = KEYS[1]
if redis.call('EXISTS', P .. 'result:' .. ARGV[3]) == 1 then return 1 end
if redis.call('HDEL', P .. 'aside', ARGV[1]) == 0 then return 0 end
redis.call('ZREM', P .. 'asides', ARGV[1])
audit(P, ARGV[3], 4)
announce(P, ARGV[2], 'case')
return 1
