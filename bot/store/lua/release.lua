-- Gives a lease back; the case returns to where it belongs.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 case id, 3 officer, or "" for whoever held a lease that is over, 4 digest of the request, 5 end of
--       the lease that is known to be over ("" when an officer gives it back), 6 a timeline entry ("" for none), 7…
--       sealed audit rows
-- Gives 1, also for a repeat; 0 when the lease is not held (any more) or, with 5, goes on.
-- include place.lua
-- include audit.lua
local P, now, id = KEYS[1], ARGV[1], ARGV[2]
local result = P .. 'result:' .. ARGV[4]
if redis.call('EXISTS', result) == 1 then return 1 end
local case = P .. 'case:' .. id
local f = redis.call('HMGET', case, 'm', 'c', 'w', 'by', 'unt')
if not f[4] then return 0 end
if ARGV[5] ~= '' then
  if f[5] ~= ARGV[5] or tonumber(f[5]) > tonumber(now) then return 0 end
elseif f[4] ~= ARGV[3] or tonumber(f[5]) <= tonumber(now) then
  return 0
end
log(P, ARGV[4], 7)
redis.call('HDEL', case, 'by', 'sin', 'unt')
place(P, id, f[1], f[2], f[3], now)
if ARGV[6] ~= '' then redis.call('RPUSH', P .. 'timeline:' .. id, ARGV[6]) end
announce(P, f[1], 'claim')
redis.call('SET', result, id, 'EX', 86400)
return 1
