-- Removes an update that was put aside.
-- KEYS  1 the line's prefix
-- ARGV  1 its id, 2 mission to tell, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when it is not there.
-- include place.lua
-- include audit.lua
local P = KEYS[1]
if repeated(P, ARGV[3]) then return 1 end
if redis.call('HEXISTS', P .. 'aside', ARGV[1]) == 0 then return 0 end
log(P, ARGV[3], 4)
redis.call('ZREM', P .. 'asides', ARGV[1])
redis.call('HDEL', P .. 'aside', ARGV[1])
announce(P, ARGV[2], 'case')
remember(P, ARGV[3])
return 1
