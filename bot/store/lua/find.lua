-- Looks up cases by exact values, and appends the audit rows of that.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 how many at most, 3 case code or "", 4 number of index sets, then the sets ("kind:blind"), then
--       sealed audit rows
-- Gives case ids.
local P, n = KEYS[1], tonumber(ARGV[4])
local got, seen = {}, {}
local function give(id)
  if not id or id == '' or seen[id] or #got >= tonumber(ARGV[2]) then return end
  seen[id] = true
  if redis.call('HGET', P .. 'case:' .. id, 'm') == ARGV[1] then got[#got + 1] = id end
end
if ARGV[3] ~= '' then give(redis.call('HGET', P .. 'codes', ARGV[3])) end
for i = 5, 4 + n do
  local ids = redis.call('SMEMBERS', P .. 'blind:' .. ARGV[i])
  table.sort(ids)
  for _, id in ipairs(ids) do give(id) end
end
for i = 5 + n, #ARGV do redis.call('RPUSH', P .. 'audit', ARGV[i]) end
return got
