-- second is a time as the sets of what was seen are scored by: a whole second takes half the space of a millisecond.
local function second(ms) return string.format('%.0f', math.floor(tonumber(ms) / 1000)) end
