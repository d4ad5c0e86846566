-- Who asked for a file with personal data takes the request back: waiting or allowed, but not yet used.
-- KEYS  1 the request, 2 those of its mission that wait
-- ARGV  1 its id, 2 account id of who asked for it, 3 token of this call
-- Gives "ok" (also for a repeat), "none" when there is no such request (any more) or it is somebody else's, or the
-- state that it has.
local f = redis.call('HMGET', KEYS[1], 'by', 'st', 'unt', 'tok')
if not f[1] or f[1] ~= ARGV[2] then return 'none' end
if f[2] == 'withdrawn' and f[4] == ARGV[3] then return 'ok' end
local t = redis.call('TIME')
if tonumber(f[3]) <= tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) then return 'none' end
if f[2] ~= 'asked' and f[2] ~= 'allowed' then return f[2] end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'st', 'withdrawn', 'tok', ARGV[3])
return 'ok'
