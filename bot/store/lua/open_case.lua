-- Reads a case with its timeline and rows, and appends the audit rows of that.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 case id, 3 token of this call, 4 the field of a case that names the mission: "m", or "of" for what
--       it is asked to take over, 5… sealed audit rows
-- Gives version, wrapped key, sealed case, holder, since, until, a list of timeline entries, a list of row ids and
-- states by turns, and a list of three values for each row that is still kept: id, row, its contact's wrapped key.
-- Nothing when that field does not name the mission.
-- include waiting.lua
-- include audit.lua
local P, id = KEYS[1], ARGV[2]
local f = redis.call('HMGET', P .. 'case:' .. id, 'v', 'k', 's', 'by', 'sin', 'unt', ARGV[4])
if not f[1] or not f[2] or f[7] ~= ARGV[1] then return {} end
log(P, ARGV[3], 5)
local states = redis.call('HGETALL', P .. 'rowstates:' .. id)
local rows = {}
for i = 1, #states, 2 do
  local blob = redis.call('HGET', P .. 'rows', states[i])
  if blob then
    local _, _, _, _, contact = header(blob)
    for _, v in ipairs({states[i], blob, redis.call('HGET', P .. 'conv:' .. (contact or '-'), 'k') or ''}) do rows[#rows + 1] = v end
  end
end
return {f[1], f[2], f[3], f[4] or '', f[5] or '', f[6] or '', redis.call('LRANGE', P .. 'timeline:' .. id, 0, -1), states, rows}
