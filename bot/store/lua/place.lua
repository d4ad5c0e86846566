-- window puts the ends of a case's windows into the queue of its class, unwindow takes them out.
local function window(q, c, w, id)
  local n = 0
  for to in string.gmatch(w or '', '%-(%d+)') do
    redis.call('ZADD', q .. 'closing:' .. c, to, id .. '|' .. n)
    n = n + 1
  end
end

local function unwindow(q, c, w, id)
  local n = 0
  for _ in string.gmatch(w or '', '[^,]+') do
    redis.call('ZREM', q .. 'closing:' .. c, id .. '|' .. n)
    n = n + 1
  end
end

-- place puts a case where its fields say that it stands in the queues. om, oc and ow are the mission, class and
-- windows under which it was queued before; om is "" or false for a new case. A lease that is over is cleared on the
-- way.
local function place(P, id, om, oc, ow, now)
  local case = P .. 'case:' .. id
  if om and om ~= '' then
    local q = P .. 'queue:' .. om .. ':'
    for _, set in ipairs({oc, 'away:' .. oc, 'promised:' .. oc, 'female:' .. oc, 'later', 'claimed', 'settled'}) do
      redis.call('ZREM', q .. set, id)
    end
    unwindow(q, oc, ow, id)
  end
  local f = redis.call('HMGET', case, 'm', 'c', 'due', 'cl', 'lat', 'w', 'by', 'unt', 'st', 'pr', 'f')
  local c, due = f[2], f[3]
  if f[7] and tonumber(f[8] or '0') <= tonumber(now) then
    redis.call('HDEL', case, 'by', 'sin', 'unt')
    f[7] = false
  end
  if (f[4] or '') ~= '' then return end
  local q = P .. 'queue:' .. f[1] .. ':'
  if not f[7] and (f[9] or '') ~= '' then
    redis.call('ZADD', q .. 'settled', due, id)
    return
  end
  if f[7] then
    redis.call('ZADD', q .. 'away:' .. c, due, id)
    redis.call('ZADD', q .. 'claimed', f[8], id)
    return
  end
  if (f[5] or '') ~= '' and tonumber(f[5]) > tonumber(now) then
    redis.call('ZADD', q .. 'away:' .. c, due, id)
    redis.call('ZADD', q .. 'later', f[5], id)
    return
  end
  redis.call('ZADD', q .. c, due, id)
  if (f[10] or '') ~= '' then redis.call('ZADD', q .. 'promised:' .. c, f[10], id) end
  if f[11] == '1' then redis.call('ZADD', q .. 'female:' .. c, due, id) end
  window(q, c, f[6], id)
end

-- plain tells whether a case that nobody holds waits in its class and nowhere else. f has 4 class, 5 windows, 9 due,
-- 10 closed, 11 later, 12 settled, 13 promised, 14 female.
local function plain(f)
  return (f[10] or '') == '' and (f[11] or '') == '' and (f[12] or '') == '' and (f[13] or '') == '' and f[14] ~= '1'
end

-- shift is place for a case that was plain and stays in its mission, or is new, and is plain: it touches only what
-- changes. was[3] is false for a new case.
local function shift(P, id, was, is)
  local q, c, due, w = P .. 'queue:' .. is[3] .. ':', is[4], is[9], is[5] or ''
  local new, oc, ow = not was[3], was[4], was[5] or ''
  if not new and oc ~= c then redis.call('ZREM', q .. oc, id) end
  if oc ~= c or was[9] ~= due then redis.call('ZADD', q .. c, due, id) end
  if oc == c and ow == w then return end
  if not new then unwindow(q, oc, ow, id) end
  window(q, c, w, id)
end

-- announce tells the desks of a mission that something changed: kind is case, p1, claim or channel. Where an ACL
-- refuses the publication, or with quietly, the number alone tells it, within a second; a script must not end half-way
-- for that.
local function announce(P, m, kind, quietly)
  local seq = redis.call('INCR', P .. 'seq:' .. m)
  if quietly then return end
  redis.pcall('PUBLISH', P .. 'events:' .. m, string.format('%.0f', seq) .. ' ' .. kind)
end
