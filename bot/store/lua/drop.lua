-- drop takes a row that was not sent out of the outbox, wherever it waits, and what it says with it. It comes behind waiting.lua.
local function drop(P, row)
  local blob = redis.call('HGET', P .. 'rows', row)
  if not blob then return end
  local lane, _, _, _, contact, account = header(blob)
  redis.call('ZREM', P .. 'held', row)
  redis.call('ZREM', P .. 'dead', row)
  if not lane then
    redis.call('HDEL', P .. 'rows', row)
    return
  end
  redis.call('LREM', P .. 'waiting:' .. contact, 0, lane .. row)
  redis.call('LREM', P .. 'heldby:' .. contact, 0, row)
  redis.call('ZREM', P .. 'out:' .. account .. ':parked', row)
  if redis.call('HEXISTS', P .. 'conv:' .. contact, 'lt') == 0 then schedule(P, contact, account, '0') end
  redis.call('HDEL', P .. 'rows', row)
end
