-- Reads what an operator asks of a line, at a cost that does not grow with its queue or its outbox.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 how many cases of a class to give, 3 how many P1 and rows of a lane to look at, 4 how many missions,
--       then the missions, then the accounts
-- Gives one list: how many rows are dead letters, when the first of them died; the same of held rows and of updates
--       put aside; when the first timer is due; then for each mission that has a case a list "m", mission, open, later,
--       claimed, settled, unread P1, since when the first of them is P1, since when the first P1 that nobody holds is,
--       for each class how many and how many of them overdue, and 4 values for each case that is due first: id,
--       version, wrapped key, sealed case; and for each account a list "a", account, contacts that are being sent to,
--       and for each lane how many contacts wait and when the first of the waiting rows was made. "" where there is no
--       time.
local P, now, cases, look, missions = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- header gives when a row was made (see waiting.lua)
local function created(blob)
  return string.match(blob, '^%d %d+ %S+ %d+ %S+ %S+ %S+ (%d+) %S+\n')
end

local function earliest(a, b)
  if not b or b == '' then return a end
  if a == '' or tonumber(b) < tonumber(a) then return b end
  return a
end

-- earliestDue gives the n cases of a class that are due first, offered now or not
local function earliestDue(q, c, n)
  local all = {}
  for _, set in ipairs({c, 'away:' .. c}) do
    local f = redis.call('ZRANGE', q .. set, 0, n - 1, 'WITHSCORES')
    for i = 1, #f, 2 do all[#all + 1] = {f[i], tonumber(f[i + 1])} end
  end
  table.sort(all, function(a, b) return a[2] < b[2] or (a[2] == b[2] and a[1] < b[1]) end)
  local ids = {}
  for i = 1, math.min(n, #all) do ids[i] = all[i][1] end
  return ids
end

local got = {}
for _, set in ipairs({P .. 'dead', P .. 'held', P .. 'asides'}) do
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  got[#got + 1] = redis.call('ZCARD', set)
  got[#got + 1] = first[2] or ''
end
local timer = redis.call('ZRANGE', P .. 'timers', 0, 0, 'WITHSCORES')
got[#got + 1] = timer[2] or ''

for i = 5, 4 + missions do
  local m = ARGV[i]
  local q = P .. 'queue:' .. m .. ':'
  local settled = redis.call('ZCARD', q .. 'settled')
  local open = settled
  for _, c in ipairs({'P1', 'P2', 'P3', 'P4'}) do
    open = open + redis.call('ZCARD', q .. c) + redis.call('ZCARD', q .. 'away:' .. c)
  end
  if open > 0 then
    local unread, unreadSince, p1Since = 0, '', ''
    for _, id in ipairs(earliestDue(q, 'P1', look)) do
      local f = redis.call('HMGET', P .. 'case:' .. id, 'p1', 'rd', 'by', 'unt', 'lat')
      local since = f[1] or ''
      if since ~= '' and (tonumber(f[2] or '') or 0) < tonumber(since) then
        unread = unread + 1
        unreadSince = earliest(unreadSince, since)
      end
      local held = f[3] and tonumber(f[4] or '0') > tonumber(now)
      if not held and (tonumber(f[5] or '') or 0) <= tonumber(now) then p1Since = earliest(p1Since, since) end
    end
    local of = {'m', m, open, redis.call('ZCOUNT', q .. 'later', '(' .. now, '+inf'),
      redis.call('ZCOUNT', q .. 'claimed', '(' .. now, '+inf'), settled, unread, unreadSince, p1Since}
    for _, c in ipairs({'P1', 'P2', 'P3', 'P4'}) do
      local away = q .. 'away:' .. c
      of[#of + 1] = redis.call('ZCARD', q .. c) + redis.call('ZCARD', away)
      of[#of + 1] = redis.call('ZCOUNT', q .. c, '-inf', '(' .. now) + redis.call('ZCOUNT', away, '-inf', '(' .. now)
    end
    for _, c in ipairs({'P1', 'P2', 'P3', 'P4'}) do
      for _, id in ipairs(earliestDue(q, c, cases)) do
        local f = redis.call('HMGET', P .. 'case:' .. id, 'v', 'k', 's')
        for _, v in ipairs({id, f[1] or '', f[2] or '', f[3] or ''}) do of[#of + 1] = v end
      end
    end
    got[#got + 1] = of
  end
end

for i = 5 + missions, #ARGV do
  local out = P .. 'out:' .. ARGV[i] .. ':'
  local of = {'a', ARGV[i], redis.call('ZCARD', out .. 'leased')}
  for lane = 0, 4 do
    local n, since = redis.call('ZCARD', out .. lane), ''
    if n > 0 then
      for _, contact in ipairs(redis.call('ZRANGE', out .. lane, 0, look - 1)) do
        local first = redis.call('LINDEX', P .. 'waiting:' .. contact, 0)
        local blob = first and redis.call('HGET', P .. 'rows', string.sub(first, 2))
        if blob then since = earliest(since, created(blob)) end
      end
    end
    of[#of + 1] = n
    of[#of + 1] = since
  end
  got[#got + 1] = of
end
return got
