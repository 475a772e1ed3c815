-- Lines of one call, each admitted or not by itself, in their order. All keys share one hash tag.
-- KEYS: distinct, shared counters..., then a counter for each line.
-- ARGV: number of shared counters, interval and capacity (us) of each;
--       interval and capacity of the lines' counters; limit, window s, day start s;
--       then member and cost for each line.
-- Returns a wait (us; 0: admitted) and the place of its quota for each line: 0 the distinct members,
-- then the shared counters, last the line's own.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local shared = tonumber(ARGV[1])
local own = 2 + 2 * shared
local interval, capacity = tonumber(ARGV[own]), tonumber(ARGV[own + 1])
local limit, window, start = tonumber(ARGV[own + 2]), tonumber(ARGV[own + 3]), tonumber(ARGV[own + 4])
local ends = (math.floor((clock[1] + start) / window) + 1) * window - start

local function keep(key, tat)
  local lives = math.ceil((tat - now) / 1000)
  if lives > 0 then
    redis.call('SET', key, string.format('%.0f', tat), 'PX', lives)
  end
end

local tats, charged = {}, false
for i = 1, shared do
  tats[i] = math.max(tonumber(redis.call('GET', KEYS[1 + i]) or '0'), now)
end
local members = redis.call('SCARD', KEYS[1])
local reply = {}
for line = 1, #KEYS - 1 - shared do
  local member, cost = ARGV[own + 3 + 2 * line], tonumber(ARGV[own + 4 + 2 * line])
  local wait, place = 0, 0
  for i = 1, shared do
    local over = tats[i] + cost * tonumber(ARGV[2 * i]) - now - tonumber(ARGV[2 * i + 1])
    if over > wait then
      wait, place = over, i
    end
  end
  local key = KEYS[1 + shared + line]
  local after = math.max(tonumber(redis.call('GET', key) or '0'), now) + interval
  if after - now - capacity > wait then
    wait, place = after - now - capacity, shared + 1
  end
  local seen = redis.call('SISMEMBER', KEYS[1], member) == 1
  if not seen and members >= limit and ends * 1000000 - now > wait then
    wait, place = ends * 1000000 - now, 0
  end
  if wait == 0 then
    charged = true
    for i = 1, shared do
      tats[i] = tats[i] + cost * tonumber(ARGV[2 * i])
    end
    keep(key, after)
    if not seen then
      redis.call('SADD', KEYS[1], member)
      members = members + 1
    end
  end
  reply[2 * line - 1] = wait
  reply[2 * line] = place
end

if charged then
  for i = 1, shared do
    keep(KEYS[1 + i], tats[i])
  end
  redis.call('EXPIREAT', KEYS[1], ends)
end
return reply
