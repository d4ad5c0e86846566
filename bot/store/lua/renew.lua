-- Extends a lease.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 new end, 3 case id, 4 officer
-- Gives since and until, or nothing when the officer does not hold the case (any more).
local P, id = KEYS[1], ARGV[3]
local case = P .. 'case:' .. id
local f = redis.call('HMGET', case, 'm', 'by', 'sin', 'unt')
if not f[2] or f[2] ~= ARGV[4] or tonumber(f[4]) <= tonumber(ARGV[1]) then return {} end
if tonumber(ARGV[2]) <= tonumber(f[4]) then return {f[3], f[4]} end
redis.call('HSET', case, 'unt', ARGV[2])
local claimed = P .. 'queue:' .. f[1] .. ':claimed'
if redis.call('ZSCORE', claimed, id) then redis.call('ZADD', claimed, ARGV[2], id) end
return {f[3], ARGV[2]}
