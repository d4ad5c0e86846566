-- Marks an empty store with its mode, its layout and a sealed word that tells its keys.
-- KEYS  1 the mark
-- ARGV  1 mode, 2 schema, 3 check
-- Gives the mark as it stands now: mode, schema, check.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'mode', ARGV[1], 'schema', ARGV[2], 'check', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'mode', 'schema', 'check')
