-- Puts a request to erase a case in place of the one that was read.
-- KEYS  1 the line's prefix
-- ARGV  1 case id, 2 the sealed request that was read or "", 3 the one to put in its place or "" for none, 4 token of this
--       call, 5… sealed audit rows
-- Gives 1, or 0 when another stands there by now.
-- include audit.lua
local P = KEYS[1]
if repeated(P, ARGV[4]) then return 1 end
local was = redis.call('HGET', P .. 'erasures', ARGV[1]) or ''
if was ~= ARGV[2] and was ~= ARGV[3] then return 0 end
log(P, ARGV[4], 5)
if ARGV[3] == '' then redis.call('HDEL', P .. 'erasures', ARGV[1]) else redis.call('HSET', P .. 'erasures', ARGV[1], ARGV[3]) end
remember(P, ARGV[4])
return 1
