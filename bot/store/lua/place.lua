-- place puts a case where its fields say that it stands in the queues. om, oc and ow are the mission, class and
-- windows under which it was queued before; om is "" for a new case. An expired lease is cleared on the way.
local function place(P, id, om, oc, ow, now)
  local case = P .. 'case:' .. id
  local f = redis.call('HMGET', case, 'm', 'c', 'due', 'cr', 'cl', 'lat', 'w', 'by', 'unt', 'st', 'pr', 'f')
  local m, c, w, settled = f[1], f[2], f[7] or '', (f[10] or '') ~= ''
  if om and om ~= '' then
    local q = P .. 'queue:' .. om .. ':'
    redis.call('ZREM', q .. oc, id)
    redis.call('ZREM', q .. 'later', id)
    redis.call('ZREM', q .. 'claimed', id)
    redis.call('ZREM', q .. 'settled', id)
    redis.call('ZREM', q .. 'promised:' .. oc, id)
    redis.call('ZREM', q .. 'female:' .. oc, id)
    if om ~= m or oc ~= c or f[5] ~= '' or settled then redis.call('ZREM', q .. 'all:' .. oc, id) end
    if om ~= m or f[5] ~= '' then redis.call('ZREM', q .. 'open', id) end
    if ow and ow ~= '' then
      local n = 0
      for _ in string.gmatch(ow, '[^,]+') do
        redis.call('ZREM', q .. 'closing:' .. oc, id .. '|' .. n)
        n = n + 1
      end
    end
  end
  if f[8] and tonumber(f[9] or '0') <= tonumber(now) then
    redis.call('HDEL', case, 'by', 'sin', 'unt')
    f[8] = false
  end
  if f[5] ~= '' then return end
  local q = P .. 'queue:' .. m .. ':'
  redis.call('ZADD', q .. 'open', f[4], id)
  if not settled then redis.call('ZADD', q .. 'all:' .. c, f[3], id) end
  if f[8] then
    redis.call('ZADD', q .. 'claimed', f[9], id)
  elseif settled then
    redis.call('ZADD', q .. 'settled', f[3], id)
  elseif f[6] ~= '' and tonumber(f[6]) > tonumber(now) then
    redis.call('ZADD', q .. 'later', f[6], id)
  else
    -- offered now: in its class by due time, and in the sets of what goes before that inside a class
    redis.call('ZADD', q .. c, f[3], id)
    if (f[11] or '') ~= '' then redis.call('ZADD', q .. 'promised:' .. c, f[11], id) end
    if f[12] == '1' then redis.call('ZADD', q .. 'female:' .. c, f[3], id) end
    local n = 0
    for to in string.gmatch(w, '%-(%d+)') do
      redis.call('ZADD', q .. 'closing:' .. c, to, id .. '|' .. n)
      n = n + 1
    end
  end
end

-- announce tells the desks of a mission that something changed: kind is case, p1 or claim.
local function announce(P, m, kind)
  local seq = redis.call('INCR', P .. 'seq:' .. m)
  redis.call('PUBLISH', P .. 'events:' .. m, string.format('%.0f', seq) .. ' ' .. kind)
end
