-- Stores a session.
-- KEYS  1 the session, 2 the sessions of its account (or the session again when nobody is signed in)
-- ARGV  1 sealed session, 2 expiry in milliseconds, 3 hash of the token, or "" when nobody is signed in
-- Gives 1, or 0 when the session was ended meanwhile.
local had = redis.call('GET', KEYS[1])
if had and had == '' then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
if ARGV[3] ~= '' then
  local t = redis.call('TIME')
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', tonumber(t[1]) * 1000))
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
  local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', tonumber(last[2])))
end
return 1
