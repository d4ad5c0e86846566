-- Keeps an update that was put aside; the same id once.
-- KEYS  1 the line's prefix
-- ARGV  1 id, 2 when, 3 sealed, 4 mission to tell
-- Gives 1, or 0 when it was there.
-- include place.lua
local P = KEYS[1]
if redis.call('HEXISTS', P .. 'aside', ARGV[1]) == 1 then return 0 end
-- in the list first: what is there twice is kept once, what is in no list is seen by nobody
redis.call('ZADD', P .. 'asides', ARGV[2], ARGV[1])
redis.call('HSET', P .. 'aside', ARGV[1], ARGV[3])
announce(P, ARGV[4], 'case')
return 1
