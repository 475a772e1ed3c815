-- The state of quotas, without a charge. All keys share one hash tag.
-- KEYS: last refusal, distinct, counters...
-- Returns {now us, last refusal ('': none), members, TAT...}.

local clock = redis.call('TIME')
local reply = {
  clock[1] * 1000000 + clock[2],
  redis.call('GET', KEYS[1]) or '',
  redis.call('SCARD', KEYS[2]),
}
for i = 3, #KEYS do
  reply[i + 1] = redis.call('GET', KEYS[i]) or '0'
end
return reply
