-- Keeps what a process says of a channel account.
-- KEYS  1 the line's prefix
-- ARGV  1 "account process", 2 sealed state, 3 mission to tell when something changed, or ""
-- Gives 1. A repeat writes the same again.
-- include place.lua
local P = KEYS[1]
redis.call('HSET', P .. 'channels', ARGV[1], ARGV[2])
redis.call('EXPIRE', P .. 'channels', 86400)
if ARGV[3] ~= '' then announce(P, ARGV[3], 'channel') end
return 1
