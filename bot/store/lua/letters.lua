-- Reads rows that were held, or that died.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 "1" when the line is the mission's own: rows that belong to no case are the mission's then,
--       3 "held" or "dead", 4 state ("" for any), 5 how many
-- Gives four values for each, the newest first: id, row, its contact's wrapped key, case code.
-- include waiting.lua
local P, most = KEYS[1], tonumber(ARGV[5])
local got, from = {}, 0
while #got < 4 * most and from < 5000 do
  local ids = redis.call('ZREVRANGE', P .. ARGV[3], from, from + 99)
  for _, id in ipairs(ids) do
    local blob = redis.call('HGET', P .. 'rows', id)
    if blob and #got < 4 * most then
      local _, _, state, _, contact, _, case = header(blob)
      local m, code = false, false
      if not case then
        m, state = ARGV[2] == '1' and ARGV[1], 'failed' -- it cannot be read
        contact = '-'
      elseif case ~= '-' then
        local f = redis.call('HMGET', P .. 'case:' .. case, 'm', 'code')
        m, code = f[1], f[2]
      elseif ARGV[2] == '1' then
        m = ARGV[1]
      end
      if m == ARGV[1] and (ARGV[4] == '' or state == ARGV[4]) then
        for _, v in ipairs({id, blob, redis.call('HGET', P .. 'conv:' .. contact, 'k') or '', code or ''}) do got[#got + 1] = v end
      end
    end
  end
  if #ids < 100 then break end
  from = from + 100
end
return got
