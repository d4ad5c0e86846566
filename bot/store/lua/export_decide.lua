-- A second person allows or refuses a request for a file with personal data.
-- KEYS  1 the request, 2 all requests, 3 those of its mission that wait
-- ARGV  1 its id, 2 account id of the second person, 3 their sealed name, 4 allowed or refused, 5 how long it holds in
--       milliseconds, 6 token of this call
-- Gives "ok" (also for a repeat), "none" when there is no such request (any more), "own" when it is the person's own,
-- or the state that it has already.
local f = redis.call('HMGET', KEYS[1], 'by', 'st', 'unt', 'tok')
if not f[1] then return 'none' end
if f[4] == ARGV[6] then return 'ok' end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
if tonumber(f[3]) <= now then return 'none' end
if f[2] ~= 'asked' then return f[2] end
if f[1] == ARGV[2] then return 'own' end
local till = string.format('%.0f', now + tonumber(ARGV[5]))
redis.call('ZADD', KEYS[2], till, ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', 2 * tonumber(ARGV[5])))
redis.call('HSET', KEYS[1], 'st', ARGV[4], 'sec', ARGV[3], 'unt', till, 'tok', ARGV[6])
return 'ok'
