-- Puts a broadcast in place of the one that was read.
-- KEYS  1 the line's prefix
-- ARGV  1 id, 2 the sealed broadcast that was read or "", 3 the one to put in its place or "" for none, 4 "1" while the
--       outbox is to be filled or emptied for it, 5 token of this call, 6… sealed audit rows
-- Gives 1, or 0 when another stands there by now.
-- include audit.lua
local P = KEYS[1]
if repeated(P, ARGV[5]) then return 1 end
local was = redis.call('HGET', P .. 'broadcasts', ARGV[1]) or ''
if was ~= ARGV[2] and was ~= ARGV[3] then return 0 end
log(P, ARGV[5], 6)
if ARGV[3] == '' then redis.call('HDEL', P .. 'broadcasts', ARGV[1]) else redis.call('HSET', P .. 'broadcasts', ARGV[1], ARGV[3]) end
if ARGV[4] == '1' then redis.call('SADD', P .. 'broadcasting', ARGV[1]) else redis.call('SREM', P .. 'broadcasting', ARGV[1]) end
remember(P, ARGV[5])
return 1
