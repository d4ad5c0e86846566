-- Ends leases on rows of an account, or on timers: the process that held them is gone.
-- KEYS  1 the line's prefix
-- ARGV  1 account ("" for the timers), 2 how the tokens of that process begin ("" for all leases)
-- Gives a list of one: how many leases were ended.
local P, account = KEYS[1], ARGV[1]
local n = 0
if account == '' then
  local taken = redis.call('HGETALL', P .. 'timers:taken')
  for i = 1, #taken, 2 do
    -- leased is what has half a millisecond (see timers.lua); another was set anew since it was taken
    local score = tonumber(redis.call('ZSCORE', P .. 'timers', taken[i]) or '0')
    if score ~= math.floor(score) then
      redis.call('ZADD', P .. 'timers', 'XX', taken[i + 1], taken[i])
      n = n + 1
    end
  end
  return {n}
end
for _, contact in ipairs(redis.call('ZRANGE', P .. 'out:' .. account .. ':leased', 0, -1)) do
  local token = ARGV[2] ~= '' and redis.call('HGET', P .. 'conv:' .. contact, 'lt') or ''
  if ARGV[2] == '' or string.sub(token, 1, #ARGV[2]) == ARGV[2] then
    redis.call('ZADD', P .. 'out:' .. account .. ':leased', 0, contact)
    n = n + 1
  end
end
return {n}
