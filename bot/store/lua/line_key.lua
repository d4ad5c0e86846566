-- Gives a line's data key of one use; makes it when there is none.
-- KEYS  1 the line's data keys
-- ARGV  1 use, 2 a wrapped key for when there is none
-- Gives the wrapped key that stands there.
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[1])
