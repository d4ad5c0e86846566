-- set_timers reads a change's timers by nx, n, n × (member, at or "" to remove), and sets them.
local function set_timers(P, nx)
  for _ = 1, tonumber(nx()) do
    local member, due = nx(), nx()
    if due == '' then
      redis.call('ZREM', P .. 'timers', member)
      redis.call('HDEL', P .. 'timers:taken', member)
    else
      redis.call('ZADD', P .. 'timers', due, member)
    end
  end
end
