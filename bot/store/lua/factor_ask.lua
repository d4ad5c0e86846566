-- Asks to reset a second factor, or takes that back.
-- KEYS  1 the account, 2 the staff area's prefix
-- ARGV  1 id of the request or "" to take the standing one back, 2 sealed request, 3 now in milliseconds, 4 until when it
--       may be confirmed, in milliseconds, 5 token of this call, 6… sealed audit rows
-- Gives 1, or 0 when there is nothing to reset or to take back, or another request stands.
-- include audit.lua
if repeated(KEYS[2], ARGV[5]) then return 1 end
local f = redis.call('HMGET', KEYS[1], 'fid', 'rid', 'runtil')
if ARGV[1] == '' then
  if not f[2] then return 0 end
  log(KEYS[2], ARGV[5], 6)
  redis.call('HDEL', KEYS[1], 'rid', 'reset', 'runtil')
else
  if not f[1] or f[2] and tonumber(f[3]) > tonumber(ARGV[3]) then return 0 end
  log(KEYS[2], ARGV[5], 6)
  redis.call('HSET', KEYS[1], 'rid', ARGV[1], 'reset', ARGV[2], 'runtil', ARGV[4])
end
remember(KEYS[2], ARGV[5])
return 1
