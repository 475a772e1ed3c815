-- Remember the last refusal under a tag.
-- KEYS: last refusal. ARGV: the quota's name, wait (us), and for how many seconds it is remembered.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local text = string.format('%s %.0f %.0f', ARGV[1], now, now + ARGV[2])
redis.call('SET', KEYS[1], text, 'EX', ARGV[3])
return redis.status_reply('OK')
