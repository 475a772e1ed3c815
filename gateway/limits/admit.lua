-- One admission, atomically. All keys share one hash tag. Redis's own clock, so that workers agree.
-- KEYS: replay, pin, distinct, counters...
-- ARGV: replay ttl s (0: none), pin value ('': none), pin ttl s,
--       member ('': none), limit, window s, day start s, then charge and capacity (us) per counter;
--       a charge of -1 never fits.
-- Returns {'replayed'} | {'conflict'} | {'judged', now us, members, seen, TAT before...}.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

if ARGV[1] ~= '0' and not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  return {'replayed'}
end

if ARGV[2] ~= '' then
  local known = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'GET', 'EX', ARGV[3])
  if known and known ~= ARGV[2] then
    return {'conflict'}
  end
end

local fits = true
local reply = {'judged', now, 0, 0}
local after = {}
for i = 4, #KEYS do
  local tat = redis.call('GET', KEYS[i]) or '0'
  local charge, capacity = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  after[i] = math.max(tonumber(tat), now) + charge
  fits = fits and charge >= 0 and after[i] - now <= capacity
  reply[#reply + 1] = tat
end

local member = ARGV[4]
if member ~= '' then
  reply[3] = redis.call('SCARD', KEYS[3])
  reply[4] = redis.call('SISMEMBER', KEYS[3], member)
  fits = fits and (reply[4] == 1 or reply[3] < tonumber(ARGV[5]))
end

if not fits then
  return reply
end

for i = 4, #KEYS do
  local lives = math.ceil((after[i] - now) / 1000)
  if lives > 0 then
    redis.call('SET', KEYS[i], string.format('%.0f', after[i]), 'PX', lives)
  end
end

if member ~= '' and reply[4] == 0 then
  local window, start = tonumber(ARGV[6]), tonumber(ARGV[7])
  local ends = (math.floor((clock[1] + start) / window) + 1) * window - start
  redis.call('SADD', KEYS[3], member)
  redis.call('EXPIREAT', KEYS[3], ends)
end

return reply
