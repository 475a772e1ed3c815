-- Distinct members of one limit, admitted all together or none of them.
-- KEYS: distinct. ARGV: limit, window s, day start s, then the members.
-- Returns the wait (us) until the set is empty again, 0 where they were admitted.

local most = 1000 -- values of one command
local clock = redis.call('TIME')
local limit, window, start = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ends = (math.floor((clock[1] + start) / window) + 1) * window - start

local fresh = {}
for first = 4, #ARGV, most do
  local last = math.min(first + most - 1, #ARGV)
  local seen = redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, first, last))
  for i, known in ipairs(seen) do
    if known == 0 then
      fresh[#fresh + 1] = ARGV[first + i - 1]
    end
  end
end
if #fresh == 0 then
  return 0
end
if redis.call('SCARD', KEYS[1]) + #fresh > limit then
  return ends * 1000000 - clock[1] * 1000000 - clock[2]
end
for first = 1, #fresh, most do
  redis.call('SADD', KEYS[1], unpack(fresh, first, math.min(first + most - 1, #fresh)))
end
redis.call('EXPIREAT', KEYS[1], ends)
return 0
