-- Revokes a family if it is what is meant.
--
-- KEYS: the family. ARGV: 1 at, 2 client, 3 subject, 4 session ('' for any),
-- 5 until when a tombstone keeps it from beginning ('' for none).
local family = redis.call('HMGET', KEYS[1], 't', 'x', 'c', 's', 'n')
if family[2] then
	return 0
end
if not family[1] then
	if ARGV[5] ~= '' then
		redis.call('HSET', KEYS[1], 'x', ARGV[1])
		expire(KEYS[1], math.max(tonumber(ARGV[5]), now()))
	end
	return 0
end
for n = 2, 4 do
	if ARGV[n] ~= '' and ARGV[n] ~= family[n + 1] then
		return 0
	end
end
redis.call('HSET', KEYS[1], 'x', ARGV[1])
return 1
