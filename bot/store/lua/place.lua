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
    local n = 0
    for _ in string.gmatch(ow or '', '[^,]+') do
      redis.call('ZREM', q .. 'closing:' .. oc, id .. '|' .. n)
      n = n + 1
    end
  end
  local f = redis.call('HMGET', case, 'm', 'c', 'due', 'cl', 'lat', 'w', 'by', 'unt', 'st', 'pr', 'f')
  local c, due = f[2], f[3]
  if f[7] and tonumber(f[8] or '0') <= tonumber(now) then
    redis.call('HDEL', case, 'by', 'sin', 'unt')
    f[7] = false
  end
  if f[4] ~= '' then return end
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
  if f[5] ~= '' and tonumber(f[5]) > tonumber(now) then
    redis.call('ZADD', q .. 'away:' .. c, due, id)
    redis.call('ZADD', q .. 'later', f[5], id)
    return
  end
  redis.call('ZADD', q .. c, due, id)
  if (f[10] or '') ~= '' then redis.call('ZADD', q .. 'promised:' .. c, f[10], id) end
  if f[11] == '1' then redis.call('ZADD', q .. 'female:' .. c, due, id) end
  local n = 0
  for to in string.gmatch(f[6] or '', '%-(%d+)') do
    redis.call('ZADD', q .. 'closing:' .. c, to, id .. '|' .. n)
    n = n + 1
  end
end

-- announce tells the desks of a mission that something changed: kind is case, p1, claim or channel. Where an ACL
-- refuses the publication the number alone tells it; a script must not end half-way for that.
local function announce(P, m, kind)
  local seq = redis.call('INCR', P .. 'seq:' .. m)
  redis.pcall('PUBLISH', P .. 'events:' .. m, string.format('%.0f', seq) .. ' ' .. kind)
end
