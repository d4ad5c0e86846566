-- Takes back rows that have not left. One that is being sent at this moment stays, and so does a dead letter.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2… row ids
-- Gives how many are being sent.
-- include waiting.lua
local P, now, leaving = KEYS[1], ARGV[1], 0
for i = 2, #ARGV do
  local row = ARGV[i]
  local blob = redis.call('HGET', P .. 'rows', row)
  if blob and not redis.call('ZSCORE', P .. 'dead', row) then
    local lane, _, _, _, contact, account, case = header(blob)
    local waiting = P .. 'waiting:' .. (contact or '')
    local leased = lane and redis.call('HEXISTS', P .. 'conv:' .. contact, 'lt') == 1
    if not lane then
      bury(P, row, blob, now)
    elseif leased and redis.call('LINDEX', waiting, 0) == lane .. row then
      leaving = leaving + 1
    else
      redis.call('LREM', waiting, 0, lane .. row)
      redis.call('LREM', P .. 'heldby:' .. contact, 0, row)
      redis.call('ZREM', P .. 'out:' .. account .. ':parked', row)
      redis.call('ZREM', P .. 'held', row)
      if case ~= '-' then redis.call('HSET', P .. 'rowstates:' .. case, row, 'withdrawn ' .. now .. ' -') end
      if not leased then schedule(P, contact, account, now) end
      redis.call('HDEL', P .. 'rows', row)
    end
  end
end
return leaving
