-- Creates or replaces an account.
-- KEYS  1 the account, 2 all accounts, 3 officer codes, 4 the staff area's prefix
-- ARGV  1 account id, 2 sealed account, 3 index of the check code or "", 4 "1" when the account is disabled,
--       5 the sealed account that it takes the place of, or "" for any, 6 token of this call, 7… sealed audit rows
-- Gives 1, 0 when another account has the check code, or -1 when the account was changed meanwhile.
-- include audit.lua
if repeated(KEYS[4], ARGV[6]) then return 1 end
local code = ARGV[3]
local was = redis.call('HGET', KEYS[1], 'data')
if ARGV[5] ~= '' and was ~= ARGV[5] and was ~= ARGV[2] then return -1 end
local old = redis.call('HGET', KEYS[1], 'code')
if code ~= '' then
  local owner = redis.call('HGET', KEYS[3], code)
  if owner and owner ~= ARGV[1] then return 0 end
end
log(KEYS[4], ARGV[6], 7)
if old and old ~= code then
  if redis.call('HGET', KEYS[3], old) == ARGV[1] then redis.call('HDEL', KEYS[3], old) end
  redis.call('HDEL', KEYS[1], 'code')
end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
if code ~= '' then
  redis.call('HSET', KEYS[1], 'code', code)
  redis.call('HSET', KEYS[3], code, ARGV[1])
end
if ARGV[4] == '1' then redis.call('HDEL', KEYS[1], 'link') end
redis.call('SADD', KEYS[2], ARGV[1])
remember(KEYS[4], ARGV[6])
return 1
