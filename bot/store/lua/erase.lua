-- Erases a case: its data key, content, timeline, rows, timers and index entries. The code stays given away. A
-- contact whose conversation fills this case is forgotten, except for the requests that must not happen twice.
-- KEYS  1 the line's prefix
-- ARGV  1 case id, 2 token of this call, then for each contact of the case: contact, its sealed address for a channel that keeps people in a
--       store of its own ("" for others), which then has to forget the person as well
-- Gives 1, also for a repeat, or 0 when there is no such case.
-- include blind.lua
-- include place.lua
-- include waiting.lua
-- include drop.lua
-- include seen_as.lua
-- include audit.lua
local P, id = KEYS[1], ARGV[1]
if repeated(P, ARGV[2]) then return 1 end
local case = P .. 'case:' .. id
local f = redis.call('HMGET', case, 'code', 'm', 'c', 'w', 'bx', 'of')
if not f[1] then return 0 end
redis.call('HSET', case, 'cl', '1')
place(P, id, f[2], f[3], f[4], '0')
if (f[6] or '') ~= '' then
  redis.call('ZREM', P .. 'queue:' .. f[6] .. ':offered', id)
  announce(P, f[6], 'case')
end
index(P, id, f[5] or '', '')
for _, row in ipairs(redis.call('HKEYS', P .. 'rowstates:' .. id)) do drop(P, row) end
-- The people may still have what was said to them deleted from their telephones.
local states = redis.call('HGETALL', P .. 'rowstates:' .. id)
for i = 1, #states, 2 do
  local at, pid = string.match(states[i + 1], '^%S+ (%d+) (%S+)$')
  if pid and pid ~= '-' then
    for j = 3, #ARGV, 2 do
      redis.call('ZADD', P .. 'seen:' .. ARGV[j], second(at), 'o' .. pid .. ' ' .. states[i] .. ' -')
    end
  end
end
for _, t in ipairs(redis.call('ZRANGE', P .. 'timers', 0, -1)) do
  if string.sub(t, 1, 2) ~= 'c|' and string.sub(t, -#id - 1) == '|' .. id then
    redis.call('ZREM', P .. 'timers', t)
    redis.call('HDEL', P .. 'timers:taken', t)
  end
end
for i = 3, #ARGV, 2 do
  local contact = ARGV[i]
  local conv = P .. 'conv:' .. contact
  local c = redis.call('HMGET', conv, 'cid', 'acct')
  if c[1] == id then
    -- rows before there was a case
    for _, r in ipairs(redis.call('LRANGE', P .. 'waiting:' .. contact, 0, -1)) do drop(P, string.sub(r, 2)) end
    for _, r in ipairs(redis.call('LRANGE', P .. 'heldby:' .. contact, 0, -1)) do drop(P, r) end
    if c[2] then redis.call('ZREM', P .. 'out:' .. c[2] .. ':leased', contact) end
    redis.call('DEL', conv)
    if ARGV[i + 1] ~= '' then redis.call('HSET', P .. 'forget', contact, ARGV[i + 1]) end
  end
end
announce(P, f[2], 'case')
-- The case itself goes last: until then it is found, and asked about, by who tries again.
redis.call('HDEL', P .. 'erasures', id)
redis.call('DEL', P .. 'timeline:' .. id, P .. 'rowstates:' .. id, P .. 'viewers:' .. id)
redis.call('HSET', P .. 'codes', f[1], '')
redis.call('DEL', case)
remember(P, ARGV[2])
return 1
