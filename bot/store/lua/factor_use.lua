-- Uses the code of one step. A step is used once, and none before it afterwards.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the factor, 2 step, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when the step was used (by another call) or the factor is another one.
-- include audit.lua
local f = redis.call('HMGET', KEYS[1], 'fid', 'fstep', 'fby')
if f[1] ~= ARGV[1] then return 0 end
local last, step = tonumber(f[2] or '-1'), tonumber(ARGV[2])
if step < last or step == last and f[3] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'fstep', ARGV[2], 'fby', ARGV[3])
audit(KEYS[2], ARGV[3], 4)
return 1
