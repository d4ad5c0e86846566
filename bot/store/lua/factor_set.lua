-- Gives an account its second factor.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the factor, 2 sealed factor, 3 the step whose code confirmed it, 4 token of this call,
--       5… sealed audit rows
-- Gives 1, or 0 when there is no such account or it has a second factor already.
-- include audit.lua
if repeated(KEYS[2], ARGV[4]) then return 1 end
local has = redis.call('HGET', KEYS[1], 'fid')
if has and has ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
log(KEYS[2], ARGV[4], 5)
redis.call('HSET', KEYS[1], 'fid', ARGV[1], 'factor', ARGV[2], 'fstep', ARGV[3])
remember(KEYS[2], ARGV[4])
return 1
