-- Moves a row that was sent to delivered or read; never backwards.
-- KEYS  1 the line's prefix
-- ARGV  1 contact, 2 messenger's id, 3 state, 4 when
-- Gives 1, or 0 when no such message is remembered.
-- include blind.lua
-- include place.lua
local P, pid = KEYS[1], ARGV[2]
local rank = {sent = 1, delivered = 2, read = 3}
local function move(id, case)
  local states = P .. 'rowstates:' .. case
  local have = string.match(redis.call('HGET', states, id) or '', '^%S+') or ''
  if (rank[have] or 0) < (rank[ARGV[3]] or 0) then
    redis.call('HSET', states, id, ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. pid)
    local m = redis.call('HGET', P .. 'case:' .. case, 'm')
    if m then announce(P, m, 'case') end
  end
  return 1
end
for _, case in ipairs(sharing(P, 'contact:' .. ARGV[1])) do
  local states = redis.call('HGETALL', P .. 'rowstates:' .. case)
  for i = 1, #states, 2 do
    if string.match(states[i + 1], ' (%S+)$') == pid then return move(states[i], case) end
  end
end
local want = 'o' .. pid .. ' '
local from = 0
while true do
  local chunk = redis.call('ZREVRANGE', P .. 'seen:' .. ARGV[1], from, from + 49)
  if #chunk == 0 then return 0 end
  for _, m in ipairs(chunk) do
    if string.sub(m, 1, #want) == want then
      local id, case = string.match(m, ' (%S+) (%S+)$')
      if case == '-' then return 1 end
      return move(id, case)
    end
  end
  from = from + 50
end
