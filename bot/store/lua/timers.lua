-- Leases timers that are due.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 how many, 3 end of the lease, 4 token
-- Gives 4 values for each: member, its own time, and for a contact's the wrapped key and the sealed address. The same
-- again for a repeat of the token.
local P = KEYS[1]
local got = {}
local function give(member, at)
  local k, a = '', ''
  if string.sub(member, 1, 2) == 'c|' then
    local f = redis.call('HMGET', P .. 'conv:' .. string.match(member, '[^|]*$'), 'k', 'a')
    if not f[1] or not f[2] then
      redis.call('ZREM', P .. 'timers', member) -- the contact was erased
      redis.call('HDEL', P .. 'timers:taken', member)
      return
    end
    k, a = f[1], f[2]
  end
  for _, v in ipairs({member, at, k, a}) do got[#got + 1] = v end
end
local last = redis.call('GET', P .. 'timers:last')
if last and string.sub(last, 1, #ARGV[4] + 1) == ARGV[4] .. '\n' then
  for member, at in string.gmatch(string.sub(last, #ARGV[4] + 2), '([^\n]+)\n(%d+)\n') do give(member, at) end
  return got
end
local due = redis.call('ZRANGEBYSCORE', P .. 'timers', '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #due == 0 then return got end
local note = ARGV[4] .. '\n'
for i = 1, #due, 2 do
  local member = due[i]
  -- the half tells the end of a lease from a timer's own time, which is whole milliseconds
  local score = tonumber(due[i + 1])
  local at = score ~= math.floor(score) and redis.call('HGET', P .. 'timers:taken', member)
  if not at then
    at = string.format('%.0f', math.floor(score))
    redis.call('HSET', P .. 'timers:taken', member, at)
  end
  redis.call('ZADD', P .. 'timers', string.format('%.1f', tonumber(ARGV[3]) - 0.5), member)
  note = note .. member .. '\n' .. at .. '\n'
  give(member, at)
end
redis.call('SET', P .. 'timers:last', note)
return got
