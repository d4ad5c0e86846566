-- Gives one officer the lease on a case, once however often it is asked, and only one officer.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 end of the lease, 3 case id, 4 officer, 5 the officer's sealed name, 6 digest of the request, 7 "1"
--       for Next: only what is offered now, and while a P1 waits only a P1, 8 mission, 9… sealed audit rows
-- Gives "ok" or "repeat", case id, since and until; or "held", holder, since and until; or one word and nothing
-- written: "gone" (no such case, closed, another mission's, for Next: not offered any more), "again" (for Next: a
-- P1 came meanwhile, choose again).
-- include place.lua
-- include audit.lua
local P, now, id = KEYS[1], ARGV[1], ARGV[3]
local result = P .. 'result:' .. ARGV[6]
local done = redis.call('GET', result)
if done then
  local did, since, ends = string.match(done, '^(%S+) (%d+) (%d+)$')
  if did then return {'repeat', did, since, ends} end
end
local case = P .. 'case:' .. id
local f = redis.call('HMGET', case, 'm', 'c', 'w', 'cl', 'by', 'sin', 'unt', 'st', 'lat')
if f[1] ~= ARGV[8] or (f[4] or '') ~= '' then return {'gone'} end
local held = f[5] and tonumber(f[7] or '0') > tonumber(now)
if held and f[5] ~= ARGV[4] then return {'held', f[5], f[6], f[7]} end
if ARGV[7] == '1' then
  if held or (f[8] or '') ~= '' then return {'gone'} end
  if (f[9] or '') ~= '' and tonumber(f[9]) > tonumber(now) then return {'gone'} end
  if f[2] ~= 'P1' and redis.call('EXISTS', P .. 'queue:' .. ARGV[8] .. ':P1') == 1 then return {'again'} end
end
local since = now
if held then since = f[6] end
log(P, ARGV[6], 9)
redis.call('HSET', case, 'by', ARGV[4], 'sin', since, 'unt', ARGV[2])
redis.call('HSET', P .. 'officers', ARGV[4], ARGV[5])
place(P, id, f[1], f[2], f[3], now)
announce(P, f[1], 'claim')
redis.call('SET', result, id .. ' ' .. since .. ' ' .. ARGV[2], 'EX', 86400)
return {'ok', id, since, ARGV[2]}
