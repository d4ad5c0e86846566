-- Shows how far a request about a line's number has come, unless another one is in force by now.
-- KEYS  1 the line's prefix
-- ARGV  1 account, 2 id of the request, 3 sealed state, 4 how long it is shown in milliseconds, 5 mission to tell,
--       6 token of this call, 7… sealed audit rows
-- Gives 1, also for a repeat; 0 when the request is not in force any more.
-- include place.lua
-- include audit.lua
local P = KEYS[1]
if repeated(P, ARGV[6]) then return 1 end
local ask = redis.call('GET', P .. 'number:ask:' .. ARGV[1])
if not ask or string.sub(ask, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return 0 end
log(P, ARGV[6], 7)
redis.call('SET', P .. 'number:show:' .. ARGV[1], ARGV[3], 'PX', ARGV[4])
announce(P, ARGV[5], 'channel')
remember(P, ARGV[6])
return 1
