-- Tells whose a one-time link is, and spends it.
-- KEYS  1 the link, 2 the account it names
-- ARGV  1 hash of the token, 2 request id, or "" to look without spending
-- Gives 1 when the link is good (or was spent by this very request), 0 when it is spent, replaced or too old.
local spent = redis.call('HGET', KEYS[1], 'spent')
if spent then
  if ARGV[2] ~= '' and spent == ARGV[2] then return 1 end
  return 0
end
local last = redis.call('HGET', KEYS[1], 'until')
if not last then return 0 end
local t = redis.call('TIME')
if tonumber(last) <= tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) then return 0 end
if redis.call('HGET', KEYS[2], 'link') ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then
  redis.call('HDEL', KEYS[2], 'link')
  redis.call('HSET', KEYS[1], 'spent', ARGV[2])
end
return 1
