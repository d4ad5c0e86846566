-- Notes updates that were acknowledged and changed nothing, or takes numbers off the list of the missing.
-- KEYS  1 the line's prefix
-- ARGV  1 now, 2 account, 3 number of an update ("" for none), 4… entries of the list to take off
-- Gives 1.
-- include number.lua
if ARGV[3] ~= '' then number(KEYS[1], ARGV[2], ARGV[3], ARGV[1]) end
for i = 4, #ARGV do redis.call('ZREM', KEYS[1] .. 'missing:' .. ARGV[2], ARGV[i]) end
return 1
