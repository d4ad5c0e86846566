-- sharing gives the ids of the cases that share a value, "kind:blind".
local function sharing(P, value)
  local ids = {}
  for id in string.gmatch(redis.call('HGET', P .. 'blind', value) or '', '%S+') do ids[#ids + 1] = id end
  return ids
end

-- names tells whether a word is among those of a list, separated by a space.
local function names(list, word) return string.find(' ' .. list .. ' ', ' ' .. word .. ' ', 1, true) end

-- index makes a case be found by the values of a list, and no more by those of the list of before that are not in it.
local function index(P, id, was, is)
  for value in string.gmatch(was, '%S+') do
    if not names(is, value) then
      local rest = {}
      for _, other in ipairs(sharing(P, value)) do
        if other ~= id then rest[#rest + 1] = other end
      end
      if #rest == 0 then
        redis.call('HDEL', P .. 'blind', value)
      else
        redis.call('HSET', P .. 'blind', value, table.concat(rest, ' '))
      end
    end
  end
  for value in string.gmatch(is, '%S+') do
    if not names(was, value) then
      local have = redis.call('HGET', P .. 'blind', value)
      if not have then
        redis.call('HSET', P .. 'blind', value, id)
      elseif not names(have, id) then
        redis.call('HSET', P .. 'blind', value, have .. ' ' .. id)
      end
    end
  end
end
