-- Gives an account its second factor.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the factor, 2 sealed factor, 3 the step whose code confirmed it, 4 token of this call,
--       5… sealed audit rows
-- Gives 1, or 0 when there is no such account or it has a second factor already.
-- include audit.lua
local has = redis.call('HGET', KEYS[1], 'fid')
if has and has ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if not has then redis.call('HSET', KEYS[1], 'fid', ARGV[1], 'factor', ARGV[2], 'fstep', ARGV[3], 'fby', ARGV[4]) end
audit(KEYS[2], ARGV[4], 5)
return 1
