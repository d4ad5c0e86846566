-- Makes a one-time link the only valid one of its account.
-- KEYS  1 the link, 2 the account
-- ARGV  1 account id, 2 hash of the token, 3 valid until, in milliseconds
-- Gives 1, or 0 when there is no such account.
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'account', ARGV[1], 'until', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[2], 'link', ARGV[2])
return 1
