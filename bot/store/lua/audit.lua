-- A script that ends half-way is not rolled back, and a client that lost an answer sends the call again with the same
-- token. So the rows are written first: what cannot be logged is not done. And what tells the repeat comes last: what
-- was not done whole is not taken for done.

-- log appends the sealed rows from ARGV[from] on to the line's audit log, once for each call.
local function log(P, token, from)
  if #ARGV < from then return end
  if not redis.call('SET', P .. 'result:' .. token .. ':log', '1', 'NX', 'EX', 3600) then
    -- It was begun before. A row that stood there twice would look like a copy that somebody made.
    for _, row in ipairs(redis.call('LRANGE', P .. 'audit', -1000, -1)) do
      if row == ARGV[from] then return end
    end
  end
  redis.call('RPUSH', P .. 'audit', unpack(ARGV, from))
end

-- repeated tells whether the whole call was executed before, remember makes that known for an hour.
local function repeated(P, token) return redis.call('EXISTS', P .. 'result:' .. token) == 1 end
local function remember(P, token) redis.call('SET', P .. 'result:' .. token, '1', 'EX', 3600) end
