-- Reads what a turn starts from: whether the request was committed before, the conversation, the case it fills and
-- the length of the queue.
-- KEYS  1 the line's prefix
-- ARGV  1 contact, 2 digest of the request, 3 the line's own mission
-- Gives "seen", or: "", version, wrapped key, sealed state, case id, its version, wrapped key and sealed content, and
-- how many cases wait; "" for what is not there.
local P = KEYS[1]
if redis.call('ZSCORE', P .. 'seen:' .. ARGV[1], ARGV[2]) then return {'seen'} end
local conv = redis.call('HMGET', P .. 'conv:' .. ARGV[1], 'v', 'k', 's', 'cid')
local m, id = ARGV[3], conv[4] or ''
local case = {false, false, false, false}
if id ~= '' then
  case = redis.call('HMGET', P .. 'case:' .. id, 'v', 'k', 's', 'm')
  if case[4] then m = case[4] else id = '' end
end
local waiting = 0
for _, c in ipairs({'P1', 'P2', 'P3', 'P4'}) do
  waiting = waiting + redis.call('ZCARD', P .. 'queue:' .. m .. ':' .. c)
end
return {'', conv[1] or '', conv[2] or '', conv[3] or '', id, case[1] or '', case[2] or '', case[3] or '', waiting}
