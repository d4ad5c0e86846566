-- header reads the part of a row that is not sealed: lane, not before, state, attempts, contact, account, case ("-"
-- for none), created, why ("-" for none), and where the sealed part begins.
local function header(blob)
  return string.match(blob, '^(%d) (%d+) (%S+) (%d+) (%S+) (%S+) (%S+) (%d+) (%S+)\n()')
end

-- bury makes a dead letter of a row whose header cannot be read, under one that says so: it must hold up nobody.
local function bury(P, id, blob, now)
  redis.call('HSET', P .. 'rows', id, '4 0 failed 0 - - - ' .. now .. ' damaged\n' .. blob)
  redis.call('ZADD', P .. 'dead', now, id)
end

-- restate rewrites the header of a row and leaves the sealed part alone.
local function restate(P, id, blob, state, attempts, nb, why)
  local lane, _, _, _, contact, account, case, created, _, at = header(blob)
  redis.call('HSET', P .. 'rows', id, table.concat({lane, nb, state, attempts, contact, account, case, created, why}, ' ')
    .. '\n' .. string.sub(blob, at))
end

-- frozen tells whether nothing may leave from the account.
local function frozen(P, account, now)
  local f = redis.call('GET', P .. 'out:' .. account .. ':freeze')
  return f and tonumber(f) > tonumber(now)
end

-- schedule puts a contact that is not leased at the lane of its most urgent waiting row, at the time at which its
-- first row wants to leave; without rows it is taken out.
local function schedule(P, contact, account, now)
  local conv = P .. 'conv:' .. contact
  local out = P .. 'out:' .. account .. ':'
  local x = redis.call('HGET', conv, 'x')
  local rows = redis.call('LRANGE', P .. 'waiting:' .. contact, 0, -1)
  if #rows == 0 then
    if x then
      redis.call('ZREM', out .. x, contact)
      redis.call('HDEL', conv, 'x')
    end
    return
  end
  local lane = '9'
  for _, r in ipairs(rows) do
    local l = string.sub(r, 1, 1)
    if l < lane then lane = l end
  end
  local at = now
  local blob = redis.call('HGET', P .. 'rows', string.sub(rows[1], 2))
  local _, nb = header(blob or '')
  if nb and tonumber(nb) > tonumber(at) then at = nb end
  if x and x ~= lane then redis.call('ZREM', out .. x, contact) end
  if x == lane then
    -- who waits already keeps the place, unless the first row may not leave yet
    local was = redis.call('ZSCORE', out .. lane, contact)
    if was and at == now and tonumber(was) <= tonumber(now) then return end
  end
  redis.call('ZADD', out .. lane, at, contact)
  redis.call('HSET', conv, 'x', lane)
end

-- unpark puts a held row back before the waiting ones, behind the one that is being sent. It gives contact and account,
-- nothing for a row that cannot be read.
local function unpark(P, id, blob, now)
  local lane, _, _, attempts, contact, account, case, created = header(blob)
  if not lane then return bury(P, id, blob, now) end
  restate(P, id, blob, 'queued', attempts, '0', '-')
  redis.call('ZREM', P .. 'held', id)
  redis.call('ZREM', P .. 'out:' .. account .. ':parked', id)
  redis.call('LREM', P .. 'heldby:' .. contact, 0, id)
  local waiting = P .. 'waiting:' .. contact
  local sending = redis.call('HEXISTS', P .. 'conv:' .. contact, 'lt') == 1 and redis.call('LPOP', waiting)
  -- It goes behind what is older: rows that were released before it.
  local older = {}
  local first = redis.call('LINDEX', waiting, 0)
  while first do
    local other = redis.call('HGET', P .. 'rows', string.sub(first, 2))
    local _, _, _, _, _, _, _, c = header(other or '')
    if not c or tonumber(c) > tonumber(created) or (c == created and string.sub(first, 2) > id) then break end
    older[#older + 1] = redis.call('LPOP', waiting)
    first = redis.call('LINDEX', waiting, 0)
  end
  redis.call('LPUSH', waiting, lane .. id)
  for i = #older, 1, -1 do redis.call('LPUSH', waiting, older[i]) end
  if sending then redis.call('LPUSH', waiting, sending) end
  if case ~= '-' then redis.call('HSET', P .. 'rowstates:' .. case, id, 'queued ' .. now .. ' -') end
  return contact, account
end

-- lease hands a contact's first waiting row to the caller: it is appended to got with what the gate needs to know.
-- 9 values a row: row id, row, contact, contact's key, last own message, case, its version, key and content.
local function lease(P, contact, account, token, ends, got)
  local conv = P .. 'conv:' .. contact
  local first = redis.call('LINDEX', P .. 'waiting:' .. contact, 0)
  local id = string.sub(first, 2)
  local blob = redis.call('HGET', P .. 'rows', id)
  local _, _, _, _, _, _, case = header(blob or '')
  if not case then
    if blob then bury(P, id, blob, redis.call('TIME')[1] .. '000') end
    redis.call('LPOP', P .. 'waiting:' .. contact)
    return false
  end
  local f = redis.call('HMGET', conv, 'x', 'k', 'in')
  if f[1] then
    redis.call('ZREM', P .. 'out:' .. account .. ':' .. f[1], contact)
    redis.call('HDEL', conv, 'x')
  end
  redis.call('HSET', conv, 'lt', token)
  redis.call('ZADD', P .. 'out:' .. account .. ':leased', ends, contact)
  local c = {false, false, false}
  if case ~= '-' then c = redis.call('HMGET', P .. 'case:' .. case, 'v', 'k', 's') end
  for _, v in ipairs({id, blob, contact, f[2] or '', f[3] or '', case, c[1] or '', c[2] or '', c[3] or ''}) do
    got[#got + 1] = v
  end
  return true
end
