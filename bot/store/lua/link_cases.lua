-- Makes one of two cases of a person, or parts them again, once however often it is asked.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 digest of the request, 3 officer who must hold the first case, 4 second before which requests
--       are forgotten, then in this order:
--       2 × case: id, expected version, wrapped key, sealed, n, n × (field, value)
--       from and to: case ids; rows of the contacts below move from one to the other
--       contacts: n, n × (contact, account, expected version or "" to leave the conversation, wrapped key, sealed state)
--       moved entries: n, n × (entry in the first case's timeline, the same for the second case's, its row or "-")
--       2 × entries: n, n × entry    timers: n, n × (member, at or "" to remove)    audit: n, n × sealed row
-- Gives "ok" or "repeat"; or one word and nothing written: "conflict", "key", "lease" (the first is not held),
-- "held" (somebody else holds the second).
-- include blind.lua
-- include fields.lua
-- include place.lua
-- include waiting.lua
-- include seen_as.lua
-- include set_timers.lua
local P, now = KEYS[1], ARGV[1]
local at = 4
local function nx()
  at = at + 1
  return ARGV[at]
end

-- read and check
if redis.call('ZSCORE', P .. 'requests', ARGV[2]) then return 'repeat' end
local cases = {}
for i = 1, 2 do
  local c = {id = nx(), ver = nx(), key = nx(), sealed = nx()}
  c.f, c.set, c.gone = fields_of(nx)
  c.old = redis.call('HMGET', P .. 'case:' .. c.id, 'v', 'k', 'm', 'c', 'w', 'bx', 'by', 'unt')
  if c.old[1] ~= c.ver then return 'conflict' end
  if c.old[2] ~= c.key then return 'key' end
  local held = c.old[7] and tonumber(c.old[8] or '0') > tonumber(now)
  if i == 1 and not (held and c.old[7] == ARGV[3]) then return 'lease' end
  if i == 2 and held and c.old[7] ~= ARGV[3] then return 'held' end
  cases[i] = c
end
local from, to = nx(), nx()
local contacts = {}
for i = 1, tonumber(nx()) do
  local k = {id = nx(), account = nx(), ver = nx(), key = nx(), state = nx()}
  if k.ver ~= '' then
    local have = redis.call('HMGET', P .. 'conv:' .. k.id, 'v', 'k')
    if have[1] ~= k.ver then return 'conflict' end
    if have[2] ~= k.key then return 'key' end
  end
  contacts[i] = k
end

-- write
for i, c in ipairs(cases) do
  local case = P .. 'case:' .. c.id
  redis.call('HSET', case, 'v', string.format('%.0f', tonumber(c.ver) + 1), 's', c.sealed, unpack(c.set))
  if #c.gone > 0 then redis.call('HDEL', case, unpack(c.gone)) end
  if i == 2 then redis.call('HDEL', case, 'by', 'sin', 'unt') end
  place(P, c.id, c.old[3], c.old[4], c.old[5], now)
  index(P, c.id, c.old[6] or '', c.f.bx)
end
for _, k in ipairs(contacts) do
  if k.ver ~= '' then
    redis.call('HSET', P .. 'conv:' .. k.id, 'v', string.format('%.0f', tonumber(k.ver) + 1), 's', k.state, 'cid', to)
  end
  -- what was not sent yet is judged by the case to which the contact leads now
  local rows = {}
  for _, r in ipairs(redis.call('LRANGE', P .. 'waiting:' .. k.id, 0, -1)) do rows[#rows + 1] = string.sub(r, 2) end
  for _, r in ipairs(redis.call('LRANGE', P .. 'heldby:' .. k.id, 0, -1)) do rows[#rows + 1] = r end
  for _, r in ipairs(rows) do
    local blob = redis.call('HGET', P .. 'rows', r)
    local lane, nb, state, attempts, contact, account, case, created, why, rest = header(blob or '')
    if case == from then
      redis.call('HSET', P .. 'rows', r, table.concat({lane, nb, state, attempts, contact, account, to, created, why}, ' ')
        .. '\n' .. string.sub(blob, rest))
      local st = redis.call('HGET', P .. 'rowstates:' .. from, r)
      if st then
        redis.call('HDEL', P .. 'rowstates:' .. from, r)
        redis.call('HSET', P .. 'rowstates:' .. to, r, st)
      end
    end
    if blob and redis.call('ZSCORE', P .. 'held', r) then redis.call('ZADD', P .. 'out:' .. k.account .. ':parked', now, r) end
  end
end
for _ = 1, tonumber(nx()) do
  local was, is, row = nx(), nx(), nx()
  redis.call('LREM', P .. 'timeline:' .. cases[1].id, 1, was)
  redis.call('RPUSH', P .. 'timeline:' .. cases[2].id, is)
  local st = row ~= '-' and redis.call('HGET', P .. 'rowstates:' .. cases[1].id, row)
  if st then
    redis.call('HDEL', P .. 'rowstates:' .. cases[1].id, row)
    redis.call('HSET', P .. 'rowstates:' .. cases[2].id, row, st)
  end
end
for i = 1, 2 do
  for _ = 1, tonumber(nx()) do redis.call('RPUSH', P .. 'timeline:' .. cases[i].id, nx()) end
end
set_timers(P, nx)
for _ = 1, tonumber(nx()) do redis.call('RPUSH', P .. 'audit', nx()) end
announce(P, cases[1].f.m, 'case')
if cases[2].f.m ~= cases[1].f.m then announce(P, cases[2].f.m, 'case') end
-- last: what ended half-way is not taken for done
redis.call('ZREMRANGEBYSCORE', P .. 'requests', '-inf', '(' .. ARGV[4])
redis.call('ZADD', P .. 'requests', second(now), ARGV[2])
return 'ok'
