-- Queues a held row or a dead letter again.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 row id, 3 the row as the caller read it, 4 the row as it is to be, 5 mission to tell, 6 token of
--       this call, 7… sealed audit rows
-- Gives 1; 0 when the row has changed meanwhile; or -1 when it neither is held nor died.
-- include place.lua
-- include waiting.lua
-- include audit.lua
local P, now, id = KEYS[1], ARGV[1], ARGV[2]
if repeated(P, ARGV[6]) then return 1 end
local blob = redis.call('HGET', P .. 'rows', id)
if blob ~= ARGV[3] then return 0 end
local _, _, state = header(blob)
if not redis.call('ZSCORE', P .. 'dead', id) and state ~= 'held' then return -1 end
log(P, ARGV[6], 7)
redis.call('ZREM', P .. 'dead', id)
local contact, account = unpark(P, id, ARGV[4], now)
if redis.call('HEXISTS', P .. 'conv:' .. contact, 'lt') == 0 then schedule(P, contact, account, now) end
announce(P, ARGV[5], 'case')
remember(P, ARGV[6])
return 1
