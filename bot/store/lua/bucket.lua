-- Takes a token out of a bucket. What is kept is the time at which the bucket will be full again, and the last call.
-- KEYS  1 the bucket
-- ARGV  1 tokens in a full bucket, 2 microseconds in which one comes back, 3 name of this call
-- Gives 0 when there was one, also for a repeat, else the microseconds to wait for the next.
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local every = tonumber(ARGV[2])
local till, last = string.match(redis.call('GET', KEYS[1]) or '0', '^(%d+) ?(.*)$')
if last == ARGV[3] then return 0 end
local full = tonumber(till)
if full < now then full = now end
full = full + every
local wait = full - now - tonumber(ARGV[1]) * every
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f ', full) .. ARGV[3], 'PX', string.format('%.0f', math.ceil((full - now) / 1000)))
return 0
