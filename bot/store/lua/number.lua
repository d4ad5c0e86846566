-- number notes that an update of a messenger that counts them is in the store. A number that was left out is missing
-- until it comes. Telegram begins anew at any number after a week without updates.
local function number(P, account, n, now)
  n = tonumber(n)
  local last, at = string.match(redis.call('HGET', P .. 'numbers', account) or '', '^(%d+) (%d+)$')
  local missing = P .. 'missing:' .. account
  last = tonumber(last or '0')
  local week = at and tonumber(now) - tonumber(at) > 518400000
  if at and not (week and (n < last or n - last > 100000)) then
    if n <= last then
      redis.call('ZREM', missing, string.format('%.0f', n))
      return
    end
    if n - last > 2001 then
      redis.call('ZADD', missing, now, string.format('%.0f-%.0f', last + 1, n - 1))
    else
      for i = last + 1, n - 1 do redis.call('ZADD', missing, now, string.format('%.0f', i)) end
    end
  end
  redis.call('HSET', P .. 'numbers', account, string.format('%.0f ', n) .. now)
end
