-- Appends links to the chain of an audit log.
-- KEYS  1 the chain, 2 the lease
-- ARGV  1 the number of links that the caller went on from, 2 the lease's token, 3… links
-- Gives 1, also for a repeat, or 0 when the lease is lost or somebody else has gone on.
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local have = redis.call('LLEN', KEYS[1])
if have ~= tonumber(ARGV[1]) then
  if have == tonumber(ARGV[1]) + #ARGV - 2 and redis.call('LINDEX', KEYS[1], -1) == ARGV[#ARGV] then return 1 end
  return 0
end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
return 1
