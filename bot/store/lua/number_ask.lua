-- Asks something of the process that has a line's number, or takes it back. What was asked before is over.
-- KEYS  1 the line's prefix
-- ARGV  1 account, 2 the request: its id, a space and the sealed rest, or "" to take it back, 3 how long it stands in
--       milliseconds, 4 mission to tell, 5 token of this call, 6… sealed audit rows
-- Gives 1, also for a repeat.
-- include place.lua
-- include audit.lua
local P = KEYS[1]
if repeated(P, ARGV[5]) then return 1 end
log(P, ARGV[5], 6)
redis.call('DEL', P .. 'number:show:' .. ARGV[1])
if ARGV[2] == '' then
  redis.call('DEL', P .. 'number:ask:' .. ARGV[1])
else
  redis.call('SET', P .. 'number:ask:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
end
announce(P, ARGV[4], 'channel')
remember(P, ARGV[5])
return 1
