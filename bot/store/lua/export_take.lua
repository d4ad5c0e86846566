-- Uses up what a second person allowed: the file is written once.
-- KEYS  1 the request
-- ARGV  1 account id of who asked for it, 2 token of this call
-- Gives "ok" (also for a repeat), "none" when there is no such request (any more) or it is somebody else's, or the
-- state that it has.
local f = redis.call('HMGET', KEYS[1], 'by', 'st', 'unt', 'tok')
if not f[1] or f[1] ~= ARGV[1] then return 'none' end
if f[2] == 'taken' and f[4] == ARGV[2] then return 'ok' end
local t = redis.call('TIME')
if tonumber(f[3]) <= tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) then return 'none' end
if f[2] ~= 'allowed' then return f[2] end
redis.call('HSET', KEYS[1], 'st', 'taken', 'tok', ARGV[2])
return 'ok'
