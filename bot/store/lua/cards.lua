-- Reads cases for a list.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 since when somebody who was seen counts as looking at the case, 3 the field of a case that names
--       the mission: "m", or "of" for what it is asked to take over, 4… case ids
-- Gives 7 values for each whose field names the mission: id, version, wrapped key, sealed case, holder, since, until; then the
-- viewers, separated by a space.
local P, got = KEYS[1], {}
for i = 4, #ARGV do
  local id = ARGV[i]
  local f = redis.call('HMGET', P .. 'case:' .. id, 'v', 'k', 's', 'by', 'sin', 'unt', ARGV[3])
  if f[1] and f[2] and f[7] == ARGV[1] then
    for _, v in ipairs({id, f[1], f[2], f[3], f[4] or '', f[5] or '', f[6] or ''}) do got[#got + 1] = v end
    got[#got + 1] = table.concat(redis.call('ZRANGEBYSCORE', P .. 'viewers:' .. id, ARGV[2], '+inf'), ' ')
  end
end
return got
