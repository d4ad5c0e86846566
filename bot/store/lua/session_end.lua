-- Ends sessions: each becomes an empty value, which no request that is still running overwrites.
-- KEYS  1 the sessions of the account, 2… the sessions
-- ARGV  1 how long the empty values stay, in milliseconds, 2… the hashes of their tokens
-- Gives how many were alive.
local n = 0
for i = 2, #KEYS do
  local had = redis.call('GET', KEYS[i])
  if had and had ~= '' then n = n + 1 end
  redis.call('SET', KEYS[i], '', 'PX', ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[i])
end
return n
