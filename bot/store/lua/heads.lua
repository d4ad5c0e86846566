-- Reads those cases of a mission's queue that Next may have to choose from, at most so many of each kind: per class
-- the earliest due, the windows that close soon, the promises that have passed and the wishes for a woman officer;
-- and what is to come back to the queue by now, from a later attempt or an ended lease.
-- KEYS  1 the line's prefix
-- ARGV  1 mission, 2 now, 3 how many, 4 and 5 first and last minute of the local day for the end of windows (the last
--       one before the first: across midnight), 6 "1" when a woman asks, 7 "" to stop below P1
--       when a P1 waits, or "1" to stop below the class in which so many are found, 8 how many the officer passed over,
--       9… classes
-- Gives 9 values for each that nobody holds: id, code, class, due, created, promised, female, windows, later until.
local P, m, now, n = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local q = P .. 'queue:' .. m .. ':'
local got, seen, p1 = {}, {}, false

local function read(id)
  return redis.call('HMGET', P .. 'case:' .. id, 'code', 'c', 'due', 'cr', 'pr', 'f', 'w', 'lat', 'by', 'unt')
end

-- give adds a case unless it is there already; it tells whether this officer may be offered it before it is overdue
local function give(id, f)
  local mine = f[6] ~= '1' or ARGV[6] == '1' or f[2] == 'P1' or tonumber(f[3] or now) < tonumber(now)
  local held = f[9] and tonumber(f[10] or '0') > tonumber(now)
  if seen[id] or held or not f[1] then return mine end
  seen[id] = true
  if f[2] == 'P1' then p1 = true end
  for _, v in ipairs({id, f[1], f[2], f[3], f[4] or '', f[5] or '', f[6] or '', f[7] or '', f[8] or ''}) do
    got[#got + 1] = v
  end
  return mine
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. 'later', '-inf', now, 'LIMIT', 0, n)) do give(id, read(id)) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. 'claimed', '-inf', now, 'LIMIT', 0, n)) do give(id, read(id)) end

-- the windows that end soon: of the 64 (or n) that end first the n that are due first. More of them are asked for their
-- due times only to be left out, and with many open cases that is most of what Next costs.
local function closing(c)
  local most = math.max(64, n)
  local ids
  if tonumber(ARGV[5]) >= tonumber(ARGV[4]) then
    ids = redis.call('ZRANGEBYSCORE', q .. 'closing:' .. c, ARGV[4], ARGV[5], 'LIMIT', 0, most)
  else
    ids = redis.call('ZRANGEBYSCORE', q .. 'closing:' .. c, ARGV[4], '+inf', 'LIMIT', 0, most)
    if #ids < most then
      for _, v in ipairs(redis.call('ZRANGEBYSCORE', q .. 'closing:' .. c, '-inf', ARGV[5], 'LIMIT', 0, most - #ids)) do
        ids[#ids + 1] = v
      end
    end
  end
  local all = {}
  for i, v in ipairs(ids) do
    local id = string.match(v, '^[^|]*')
    all[i] = {id, tonumber(redis.call('ZSCORE', q .. c, id) or now)}
  end
  table.sort(all, function(a, b) return a[2] < b[2] or (a[2] == b[2] and a[1] < b[1]) end)
  for i = 1, math.min(n, #all) do give(all[i][1], read(all[i][1])) end
end

local before, enough = #got, false
for i = 9, #ARGV do
  local c = ARGV[i]
  if ARGV[7] == '1' then
    if #got - before >= 9 * n then break end
  elseif p1 and c ~= 'P1' then
    break
  end
  local first = #got
  if not enough then
    closing(c)
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. 'promised:' .. c, '-inf', now, 'LIMIT', 0, n)) do
      give(id, read(id))
    end
    if ARGV[6] == '1' then
      for _, id in ipairs(redis.call('ZRANGE', q .. 'female:' .. c, 0, n - 1)) do give(id, read(id)) end
    end
  end
  -- by due time, passing over what this officer is not offered yet; a P1 whose window closes goes before all others
  local from, mine = 0, 0
  if c == 'P1' and ARGV[7] ~= '1' and #got - first >= 9 * n then mine = n end
  while mine < n and from < 2000 do
    local ids = redis.call('ZRANGE', q .. c, from, from + n - 1)
    for _, id in ipairs(ids) do
      if give(id, read(id)) then mine = mine + 1 end
    end
    if #ids < n then break end
    from = from + n
  end
  -- once a class has one for this officer, a lower one can only matter by what is overdue for longest
  if ARGV[7] ~= '1' and mine > tonumber(ARGV[8]) then enough = true end
end
return got
