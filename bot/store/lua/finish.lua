-- Stores what became of rows that were being sent, frees their contacts and leases those contacts' next due rows.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 end of the next leases ("" for none), 3 token of the next leases, then for each row: id, contact,
--       account, token under which it was leased, state, attempts, not before, why, messenger's id, freeze until
--       ("" for none), case that is known to name the contact ("" for none), and what a held row was judged by: version
--       of the case ("" for none), the person's last message ("" for never). When either has moved the row is queued
--       again: the gate may have been opened meanwhile.
-- Gives "ok" and 9 values for each row leased again (see lease). A repeat finds the rows gone, and gives what it
-- leased before.
-- include blind.lua
-- include place.lua
-- include waiting.lua
-- include seen_as.lua
local P, now, ends = KEYS[1], ARGV[1], ARGV[2]
local freed, got = {}, {'ok'}
for i = 4, #ARGV, 13 do
  local id, contact, account, token = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local state, attempts, nb, why, pid = ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8]
  local out = P .. 'out:' .. account .. ':'
  local conv = P .. 'conv:' .. contact
  local waiting = P .. 'waiting:' .. contact
  local holder = redis.call('HGET', conv, 'lt')
  local mine = holder == token
  local blob = redis.call('HGET', P .. 'rows', id)
  local lane, _, _, _, _, _, case = header(blob or '')
  if lane then
    local noted = false
    if state == 'held' then
      local c = case ~= '-' and redis.call('HMGET', P .. 'case:' .. case, 'v', 'k') or {}
      local last = redis.call('HGET', conv, 'in')
      if last == '0' then last = '' end -- as the lease gave it
      if (c[1] and c[2] and c[1] or '') ~= ARGV[i + 11] or (last or '') ~= ARGV[i + 12] then
        state, nb, why = 'queued', '0', '-'
      end
    end
    if state == 'sent' then
      -- It was sent, whoever holds the lease by now.
      if redis.call('LREM', waiting, 1, lane .. id) == 0 then
        redis.call('LREM', P .. 'heldby:' .. contact, 0, id)
        redis.call('ZREM', out .. 'parked', id)
        redis.call('ZREM', P .. 'held', id)
        redis.call('ZREM', P .. 'dead', id)
      end
      if pid ~= '-' then
        -- Where a case names the contact, the states of its rows have the messenger's id.
        if case ~= ARGV[i + 10] and not names(table.concat(sharing(P, 'contact:' .. contact), ' '), case) then
          redis.call('ZADD', P .. 'seen:' .. contact, second(now), 'o' .. pid .. ' ' .. id .. ' ' .. case)
        end
      end
      noted = true
    elseif mine and redis.call('LINDEX', waiting, 0) == lane .. id then
      restate(P, id, blob, state, attempts, nb, why)
      if state == 'held' then
        redis.call('HSET', conv, 'hb', '1')
        redis.call('ZADD', P .. 'held', now, id)
        if nb ~= '0' then redis.call('ZADD', out .. 'parked', nb, id) end
        redis.call('RPUSH', P .. 'heldby:' .. contact, id)
        redis.call('LPOP', waiting)
      elseif state ~= 'queued' then
        redis.call('ZADD', P .. 'dead', now, id)
        redis.call('LPOP', waiting)
      end
      noted = true
    end
    if noted and case ~= '-' then
      redis.call('HSET', P .. 'rowstates:' .. case, id, state .. ' ' .. now .. ' ' .. pid)
      -- the page of an officer who waits for it; the bot's own replies are too many to announce
      if lane == '1' or (state ~= 'sent' and state ~= 'queued') then
        local m = redis.call('HGET', P .. 'case:' .. case, 'm')
        if m then announce(P, m, 'case') end
      end
    end
    if state == 'sent' then redis.call('HDEL', P .. 'rows', id) end -- last: a repeat finds what was left half-way
  end
  if ARGV[i + 9] ~= '' then
    local had = redis.call('GET', out .. 'freeze')
    if not had or tonumber(had) < tonumber(ARGV[i + 9]) then
      redis.call('SET', out .. 'freeze', ARGV[i + 9])
    end
  end
  if mine then
    redis.call('HDEL', conv, 'lt')
    redis.call('ZREM', out .. 'leased', contact)
    freed[#freed + 1] = {contact, account}
  elseif holder == ARGV[3] then
    lease(P, contact, account, ARGV[3], ends, got)
  elseif not holder then
    schedule(P, contact, account, now)
  end
end
for _, f in ipairs(freed) do
  local contact, account = f[1], f[2]
  local first = redis.call('LINDEX', P .. 'waiting:' .. contact, 0)
  if first then -- else there is nothing to schedule, and a leased contact was not
    local blob = ends ~= '' and redis.call('HGET', P .. 'rows', string.sub(first, 2))
    local due = false
    if blob then
      local _, nb = header(blob)
      due = not nb or tonumber(nb) <= tonumber(now) and not frozen(P, account, now)
    end
    if not (due and lease(P, contact, account, ARGV[3], ends, got)) then schedule(P, contact, account, now) end
  end
end
return got
