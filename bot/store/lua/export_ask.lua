-- Keeps a request for a file with personal data.
-- KEYS  1 the request, 2 all requests, 3 those of its mission that wait
-- ARGV  1 its id, 2 account id of who asks, 3 the sealed request, 4 how long it waits in milliseconds, 5 the sealed name
--       of who asks
-- Gives 1, also for a repeat.
if redis.call('HGET', KEYS[1], 'by') then return 1 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local till = string.format('%.0f', now + tonumber(ARGV[4]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[4])))
redis.call('ZADD', KEYS[2], till, ARGV[1])
-- One that lapsed unanswered goes with the next that is made, all of them a day after the last.
local waiting = redis.call('HGETALL', KEYS[3])
for i = 1, #waiting, 2 do
  if tonumber(string.match(waiting[i + 1], '^%d+')) <= now then redis.call('HDEL', KEYS[3], waiting[i]) end
end
redis.call('HSET', KEYS[3], ARGV[1], till .. ' ' .. ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
-- The request comes last: it tells the repeat. What became of it is told for a day after it lapsed.
redis.call('HSET', KEYS[1], 'by', ARGV[2], 'd', ARGV[3], 'st', 'asked', 'unt', till)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', 2 * tonumber(ARGV[4])))
return 1
