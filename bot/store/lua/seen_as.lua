-- second is a time as the sets of what was seen are scored by: a whole second takes half the space of a millisecond.
local function second(ms) return string.format('%.0f', math.floor(tonumber(ms) / 1000)) end

-- sentAs is the member of a contact's set for a message that was sent: a decimal id as a negative number, which takes
-- half the space, any other one behind an o. gotAs (commit.go) is its counterpart.
local function sentAs(id)
  if #id <= 15 and string.match(id, '^[1-9]%d*$') then return '-' .. id end
  return 'o' .. id
end
