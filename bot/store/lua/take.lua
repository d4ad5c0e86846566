-- Leases contacts of an account whose first waiting row is due, most urgent lane first. Leases that are over and
-- parked rows that are due come back on the way.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 account, 3 how many, 4 end of the leases, 5 token, 6 and 7 name and token of a lease that must be in
--       force ("" for none), 8 the last lane to look into
-- Gives "ok" and 9 values for each row (see lease), the same again for a repeat of the token; or "fence".
-- include waiting.lua
local P, now, account, n = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if ARGV[6] ~= '' and redis.call('HGET', P .. 'lease:' .. ARGV[6], 'tok') ~= ARGV[7] then return {'fence'} end
local out = P .. 'out:' .. account .. ':'
local got = {'ok'}
if redis.call('GET', out .. 'last') == ARGV[5] then
  for _, contact in ipairs(redis.call('ZRANGE', out .. 'leased', 0, -1)) do
    if redis.call('HGET', P .. 'conv:' .. contact, 'lt') == ARGV[5] then
      lease(P, contact, account, ARGV[5], ARGV[4], got)
    end
  end
  return got
end
for _, contact in ipairs(redis.call('ZRANGEBYSCORE', out .. 'leased', '-inf', now, 'LIMIT', 0, 200)) do
  redis.call('ZREM', out .. 'leased', contact)
  redis.call('HDEL', P .. 'conv:' .. contact, 'lt')
  schedule(P, contact, account, now)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', out .. 'parked', '-inf', now, 'LIMIT', 0, 200)) do
  local blob = redis.call('HGET', P .. 'rows', id)
  if blob then
    local contact = unpark(P, id, blob, now)
    if not contact then
      redis.call('ZREM', out .. 'parked', id)
      redis.call('ZREM', P .. 'held', id)
    elseif redis.call('HEXISTS', P .. 'conv:' .. contact, 'lt') == 0 then
      schedule(P, contact, account, now)
    end
  else
    redis.call('ZREM', out .. 'parked', id)
  end
end
if frozen(P, account, now) then return got end
local took = 0
for lane = 0, tonumber(ARGV[8]) do
  if took >= n then break end
  for _, contact in ipairs(redis.call('ZRANGEBYSCORE', out .. lane, '-inf', now, 'LIMIT', 0, n - took)) do
    if redis.call('LLEN', P .. 'waiting:' .. contact) == 0 then
      schedule(P, contact, account, now)
    elseif lease(P, contact, account, ARGV[5], ARGV[4], got) then
      took = took + 1
    else
      schedule(P, contact, account, now)
    end
  end
end
if took > 0 then redis.call('SET', out .. 'last', ARGV[5]) end
return got
