-- Uses the code of one step. A step is used once, and none before it afterwards.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the factor, 2 step, 3 token of this call, 4… sealed audit rows
-- Gives 1, or 0 when the step was used (by another call) or the factor is another one.
-- include audit.lua
if repeated(KEYS[2], ARGV[3]) then return 1 end
local f = redis.call('HMGET', KEYS[1], 'fid', 'fstep')
if f[1] ~= ARGV[1] or tonumber(ARGV[2]) <= tonumber(f[2] or '-1') then return 0 end
log(KEYS[2], ARGV[3], 4)
redis.call('HSET', KEYS[1], 'fstep', ARGV[2])
remember(KEYS[2], ARGV[3])
return 1
