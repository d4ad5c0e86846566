-- Counts one try in a sliding window.
-- KEYS  1 the tries
-- ARGV  1 limit, 2 window in microseconds, 3 token of this call
-- Gives 0 when the try may go on (it is counted then), also for a repeat, else the microseconds to wait (it is not).
if redis.call('ZSCORE', KEYS[1], ARGV[3]) then return 0 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local per = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - per))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  local wait = per
  if first[2] then wait = tonumber(first[2]) + per - now end
  if wait < 1 then wait = 1 end
  return math.ceil(wait)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(per / 1000)))
return 0
