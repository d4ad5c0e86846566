-- Notes that somebody has a case open.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 case id, 3 officer, 4 the officer's sealed name, 5 time before which the others are forgotten
-- Gives 1.
local P = KEYS[1]
local viewers = P .. 'viewers:' .. ARGV[2]
redis.call('ZADD', viewers, ARGV[1], ARGV[3])
redis.call('ZREMRANGEBYSCORE', viewers, '-inf', '(' .. ARGV[5])
redis.call('EXPIRE', viewers, 3600)
redis.call('HSET', P .. 'officers', ARGV[3], ARGV[4])
return 1
