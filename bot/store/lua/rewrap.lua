-- Puts a data key wrapped anew in the place of its former form, unless that changed meanwhile. A repeat finds it done.
-- KEYS  1 the record
-- ARGV  1 its field, 2 the former form, 3 the new one
-- Gives 1, or 0 when something else stands there.
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now == ARGV[3] then return 1 end
if now ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
