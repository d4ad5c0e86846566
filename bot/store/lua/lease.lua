-- Acquires, renews or gives back a lease. The token grows with every new holder.
-- KEYS  1 the lease
-- ARGV  1 "acquire", "renew" or "release", 2 owner, 3 now, 4 until, 5 token (renew, release)
-- Gives the token and 1 when the lease is (or was) the caller's, else 0.
local f = redis.call('HMGET', KEYS[1], 'own', 'tok', 'unt')
local tok = tonumber(f[2] or '0')
local live = f[1] and f[1] ~= '' and tonumber(f[3] or '0') > tonumber(ARGV[3])
if ARGV[1] == 'acquire' then
  if live and f[1] ~= ARGV[2] then return {tok, 0} end
  if not live then tok = tok + 1 end
  redis.call('HSET', KEYS[1], 'own', ARGV[2], 'tok', string.format('%.0f', tok), 'unt', ARGV[4])
  return {tok, 1}
end
if f[1] ~= ARGV[2] or f[2] ~= ARGV[5] then return {tok, 0} end
if ARGV[1] == 'renew' then
  -- late, but nobody else came: it is still the same holder
  redis.call('HSET', KEYS[1], 'unt', ARGV[4])
else
  redis.call('HSET', KEYS[1], 'own', '', 'unt', '0')
end
return {tok, 1}
