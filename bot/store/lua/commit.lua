-- Commits everything that one decision changes, once however often it is asked.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 digest of the request, 3 token for the rows handed over, 4 end of their lease, 5 second before which
--       requests are forgotten, 6 contact ("" for a change made at the desk), 7 its expected version, 8 officer who
--       must hold the case ("" for nobody), 9 "1" to give the lease back, 10 "1" when the person wrote by hand (then 11
--       is when), 12 and 13 name and token of a lease that must be in force ("" for none), 14 and 15 the account and its
--       number of the update that led to this ("" for none); then in this order:
--       contacts: n, n × (contact, account, wrapped key, sealed address or "" when it is stored)
--       state (only with a contact): sealed or "" for none, case code, when a prompt with buttons was shown or 0,
--              n, n × (message as it is remembered, second) of the messages
--       case:  id ("" for none), expected version, wrapped key, sealed, n, n × (field, value): code, m, c always,
--              of the others at least those that are not as they were in the expected version
--              then the officer who gets the lease ("" for nobody), the officer's sealed name, the lease's end
--       entries: n, n × entry    rows: n, n × (id, lane, contact, account, case, not before, state, row)
--       timers: n, n × (member, at or "" to remove)    audit: n, n × sealed row
--       held: n, n × (contact, account) whose held rows are to be asked about again
-- Gives "ok", then the ids of the rows handed over; or "repeat" and the same for the caller whose token it was; or
-- one word and nothing written: "conflict", "code" (taken), "lease" (not held), "fence", "key" (seal again).
-- include blind.lua
-- include fields.lua
-- include place.lua
-- include waiting.lua
-- include number.lua
-- include seen_as.lua
-- include set_timers.lua
local P, now, who = KEYS[1], ARGV[1], ARGV[6]
local at = 15
local function nx()
  at = at + 1
  return ARGV[at]
end

-- read
local contacts = {}
local lately = false -- the person wrote within a day
local leased = {} -- contacts of which a row is being sent
for i = 1, tonumber(nx()) do contacts[i] = {nx(), nx(), nx(), nx()} end
local state, code, shown, ids = '', '', '', {}
if who ~= '' then
  state, code, shown = nx(), nx(), nx()
  for i = 1, tonumber(nx()) do ids[i] = {nx(), nx()} end
end
local id, ver, key, sealed = nx(), nx(), nx(), nx()
local fields, set, gone = fields_of(nx)
local taker, name, ends = '', '', ''
if id ~= '' then taker, name, ends = nx(), nx(), nx() end

-- check
local seen = who ~= '' and P .. 'seen:' .. who or P .. 'requests'
local digest = ARGV[2]

local function again()
  local rows = {'repeat'}
  for _, c in ipairs(contacts) do
    if redis.call('HGET', P .. 'conv:' .. c[1], 'lt') == ARGV[3] then
      rows[#rows + 1] = string.sub(redis.call('LINDEX', P .. 'waiting:' .. c[1], 0) or ' ', 2)
    end
  end
  return rows
end

if redis.call('ZSCORE', seen, digest) then return again() end
if ARGV[12] ~= '' and redis.call('HGET', P .. 'lease:' .. ARGV[12], 'tok') ~= ARGV[13] then return {'fence'} end
for _, c in ipairs(contacts) do
  local have = redis.call('HMGET', P .. 'conv:' .. c[1], 'v', 'k', 'lt', 'x', 'in', 'hb')
  if c[1] == who and state ~= '' and (have[1] or '0') ~= ARGV[7] then return {'conflict'} end
  if (have[2] and have[2] ~= c[3]) or (not have[2] and c[4] == '') then return {'key'} end
  leased[c[1]] = have[3]
  c[5], c[6], c[7] = have[3], have[4], have[2] and have[6] or '0'
  if not have[2] then c[8] = true end
  if c[1] == who and have[5] then lately = tonumber(now) - tonumber(have[5]) < 86400000 end
end
local case = P .. 'case:' .. id
local old = {}
if id ~= '' then
  old = redis.call('HMGET', case, 'v', 'k', 'm', 'c', 'w', 'bx', 'by', 'unt', 'due', 'cl', 'lat', 'st', 'pr', 'f', 'of')
  if (old[1] or '0') ~= ver then return {'conflict'} end
  if ver == '0' then
    if redis.call('HEXISTS', P .. 'codes', fields.code) == 1 then return {'code'} end
  elseif old[2] ~= key then
    return {'key'}
  end
  if ARGV[8] ~= '' and (old[7] ~= ARGV[8] or tonumber(old[8] or '0') <= tonumber(now)) then return {'lease'} end
end

-- write
if ARGV[15] ~= '' then number(P, ARGV[14], ARGV[15], now) end
local conv = {} -- what is to be written of the person's own record
if state ~= '' then
  local filled = ''
  if code ~= '' then filled = code == fields.code and id or redis.call('HGET', P .. 'codes', code) or '' end
  conv = {'v', string.format('%.0f', tonumber(ARGV[7]) + 1), 's', state, 'cid', filled, 'sh', shown}
end
if ARGV[10] == '1' then
  conv[#conv + 1] = 'in'
  conv[#conv + 1] = ARGV[11]
end
if id ~= '' then
  redis.call('HSET', case, 'v', string.format('%.0f', tonumber(ver) + 1), 'k', key, 's', sealed, unpack(set))
  if #gone > 0 and ver ~= '0' then redis.call('HDEL', case, unpack(gone)) end
  if ver == '0' then redis.call('HSET', P .. 'codes', fields.code, id) end
  local kind = 'case'
  local over = old[3] and old[3] ~= fields.m -- a lease is an officer's of the mission whose case it is
  if (ARGV[9] == '1' or over) and old[7] then
    redis.call('HDEL', case, 'by', 'sin', 'unt')
    kind = 'claim'
  end
  if taker ~= '' then
    redis.call('HSET', case, 'by', taker, 'sin', now, 'unt', ends)
    redis.call('HSET', P .. 'officers', taker, name)
    kind = 'claim'
  end
  local function moved(name, was) return fields[name] and fields[name] ~= (was or '') end
  if moved('of', old[15]) then
    if old[15] then
      redis.call('ZREM', P .. 'queue:' .. old[15] .. ':offered', id)
      announce(P, old[15], 'case')
    end
    if fields.of ~= '' then
      redis.call('ZADD', P .. 'queue:' .. fields.of .. ':offered', fields.ofa, id)
      announce(P, fields.of, fields.c == 'P1' and 'p1' or 'case')
    end
  end
  local elsewhere = kind == 'claim' or moved('m', old[3]) or moved('c', old[4]) or moved('w', old[5])
    or moved('due', old[9]) or moved('cl', old[10]) or moved('lat', old[11]) or moved('st', old[12])
    or moved('pr', old[13]) or moved('f', old[14])
  if elsewhere then
    local is = {}
    for i, k in pairs({[3] = 'm', [4] = 'c', [5] = 'w', [9] = 'due', [10] = 'cl', [11] = 'lat', [12] = 'st', [13] = 'pr', [14] = 'f'}) do
      is[i] = fields[k] or old[i]
    end
    if kind == 'case' and not old[7] and not over and plain(old) and plain(is) then
      shift(P, id, old, is)
    else
      place(P, id, old[3], old[4], old[5], now)
    end
  end
  if moved('bx', old[6]) then index(P, id, old[6] or '', fields.bx) end
  if fields.c == 'P1' and old[4] ~= 'P1' and (fields.cl or old[10] or '') == '' then kind = 'p1' end
  -- Most changes are words of a conversation that nobody is looking at: the desks read of them with the second.
  announce(P, fields.m, kind, kind == 'case' and not elsewhere and not old[7])
  if over then announce(P, old[3], 'case') end
end
local entries = {}
for i = 1, tonumber(nx()) do entries[i] = nx() end
if #entries > 0 then redis.call('RPUSH', P .. 'timeline:' .. id, unpack(entries)) end

-- what was held for the person's next message may leave now, before anything newer
local released = false
if ARGV[10] == '1' and contacts[1][7] ~= '0' then
  local parked = redis.call('LRANGE', P .. 'heldby:' .. who, 0, -1)
  if #parked == 0 then contacts[1][8] = true end
  for _, h in ipairs(parked) do
    local blob = redis.call('HGET', P .. 'rows', h)
    if blob then
      local _, _, st = header(blob)
      if st == 'held' then
        unpark(P, h, blob, now)
        released = true
      end
    end
  end
end

-- queue puts a row behind those that wait, but before broadcasts: they are no part of the conversation. The one that
-- is being sent stays the first.
local function queue(contact, lane, row)
  local waiting, back = P .. 'waiting:' .. contact, {}
  local n = redis.call('RPUSH', waiting, lane .. row) - 1
  if lane == '4' or n == 0 then return end
  if leased[contact] then n = n - 1 end
  if n == 0 or string.sub(redis.call('LINDEX', waiting, -2), 1, 1) ~= '4' then return end
  redis.call('RPOP', waiting)
  while n > 0 and string.sub(redis.call('LINDEX', waiting, -1), 1, 1) == '4' do
    back[#back + 1] = redis.call('RPOP', waiting)
    n = n - 1
  end
  redis.call('RPUSH', waiting, lane .. row)
  for i = #back, 1, -1 do redis.call('RPUSH', waiting, back[i]) end
end

local fresh, bulk, parks = {}, {}, {}
for _ = 1, tonumber(nx()) do
  local row, lane, contact, account, of, nb, st, blob = nx(), nx(), nx(), nx(), nx(), nx(), nx(), nx()
  redis.call('HSET', P .. 'rows', row, blob)
  if of ~= '-' then redis.call('HSET', P .. 'rowstates:' .. of, row, st .. ' ' .. now .. ' -') end
  if st == 'held' or tonumber(nb) > tonumber(now) then
    redis.call('RPUSH', P .. 'heldby:' .. contact, row)
    parks[contact] = true
    if st == 'held' then redis.call('ZADD', P .. 'held', now, row) end
    if nb ~= '0' then redis.call('ZADD', P .. 'out:' .. account .. ':parked', nb, row) end
  else
    queue(contact, lane, row)
    fresh[contact] = fresh[contact] or row
    if lane == '4' then bulk[contact] = true end -- broadcasts are taken at the pace at which they may leave
  end
end
local done, later = {'ok'}, {}
for _, c in ipairs(contacts) do
  local contact, account = c[1], c[2]
  local set = contact == who and conv or {}
  if c[4] ~= '' then
    for _, v in ipairs({'acct', account, 'k', c[3], 'a', c[4]}) do set[#set + 1] = v end
  end
  local let = released and contact == who
  if (fresh[contact] or let) and not c[5] then
    if not c[6] and not let and not bulk[contact] and not frozen(P, account, now) then
      -- idle: the caller sends the first row itself
      set[#set + 1] = 'lt'
      set[#set + 1] = ARGV[3]
      redis.call('ZADD', P .. 'out:' .. account .. ':leased', ARGV[4], contact)
      done[#done + 1] = fresh[contact]
    else
      later[#later + 1] = c
    end
  end
  if parks[contact] then
    set[#set + 1], set[#set + 2] = 'hb', '1'
  elseif c[8] then
    set[#set + 1], set[#set + 2] = 'hb', '0' -- nothing is held by this contact
  end
  if #set > 0 then redis.call('HSET', P .. 'conv:' .. contact, unpack(set)) end
end
for _, c in ipairs(later) do schedule(P, c[1], c[2], now) end

set_timers(P, nx)
for _ = 1, tonumber(nx()) do redis.call('RPUSH', P .. 'audit', nx()) end
for _ = 1, tonumber(nx()) do
  local contact, account = nx(), nx()
  for _, h in ipairs(redis.call('LRANGE', P .. 'heldby:' .. contact, 0, -1)) do
    if redis.call('ZSCORE', P .. 'held', h) then redis.call('ZADD', P .. 'out:' .. account .. ':parked', now, h) end
  end
end
-- in the middle of a conversation every eighth time is enough
if not lately or tonumber(ARGV[7]) % 8 == 0 then
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', '(' .. ARGV[5])
end
-- The request is noted last: a script that ends half-way is not rolled back, and what is noted is never done again.
local requests = {second(now), digest}
for _, m in ipairs(ids) do
  requests[#requests + 1] = m[2]
  requests[#requests + 1] = m[1]
end
redis.call('ZADD', seen, 'NX', unpack(requests))
return done
