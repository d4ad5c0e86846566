-- audit appends the sealed rows from ARGV[from] on to the line's audit log, once for each call: a client that lost
-- an answer may have sent the call again.
local function audit(P, token, from)
  if #ARGV < from or not redis.call('SET', P .. 'result:' .. token, '1', 'NX', 'EX', 3600) then return end
  for i = from, #ARGV do redis.call('RPUSH', P .. 'audit', ARGV[i]) end
end
