-- Changes entries of a case's timeline that have been kept long enough. An entry that was changed or moved meanwhile is left
-- alone; a repeat finds nothing to do.
-- KEYS  1 the line's prefix
-- ARGV  1 case id, 2 "1" to take out the places of those that went, "2" and what was to be said and was not sent, then for each: its place, as it is, as it is to be
--       ("" when it goes)
-- Gives 1.
-- include waiting.lua
-- include drop.lua
local P = KEYS[1]
local timeline = P .. 'timeline:' .. ARGV[1]
redis.call('SET', P .. 'aged', '1')
for i = 3, #ARGV, 3 do
  if redis.call('LINDEX', timeline, ARGV[i]) == ARGV[i + 1] then redis.call('LSET', timeline, ARGV[i], ARGV[i + 2]) end
end
if ARGV[2] ~= '0' then redis.call('LREM', timeline, 0, '') end
if ARGV[2] == '2' then
  for _, row in ipairs(redis.call('HKEYS', P .. 'rowstates:' .. ARGV[1])) do
    if redis.call('HEXISTS', P .. 'rows', row) == 1 then
      drop(P, row)
      redis.call('HDEL', P .. 'rowstates:' .. ARGV[1], row)
    end
  end
end
return 1
