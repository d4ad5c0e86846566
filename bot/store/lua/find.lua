-- Looks up cases by exact values, and appends the audit rows of that.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 how many at most, 3 case code or "", 4 token of this call, 5 number of values, then the values
--       ("kind:blind"), then sealed audit rows
-- Gives case ids.
-- include audit.lua
-- include blind.lua
local P, n = KEYS[1], tonumber(ARGV[5])
local got, seen = {}, {}
local function give(id)
  if not id or id == '' or seen[id] or #got >= tonumber(ARGV[2]) then return end
  seen[id] = true
  if redis.call('HGET', P .. 'case:' .. id, 'm') == ARGV[1] then got[#got + 1] = id end
end
if ARGV[3] ~= '' then give(redis.call('HGET', P .. 'codes', ARGV[3])) end
for i = 6, 5 + n do
  local ids = sharing(P, ARGV[i])
  table.sort(ids)
  for _, id in ipairs(ids) do give(id) end
end
log(P, ARGV[4], 6 + n)
return got
