-- Names a family in an index, and forgets a few that have ended.
--
-- KEYS: the index. ARGV: 1 family, 2 until when it is kept.
--
-- The entry stays for twice as long as is asked, forty days at least, so that a
-- family is seldom entered anew when its end moves: from that of a code to that of a
-- refresh token, and then with each use. Returns until when.
local key, keep, time = KEYS[1], tonumber(ARGV[2]), now()
local ends = math.max(2 * keep - time, time + 40 * 24 * HOUR)
redis.call('ZADD', key, 'GT', string.format('%.0f', ends), ARGV[1])

-- A family's key outlives its end by a margin, by a clock that may differ by one.
local past = string.format('%.0f', time - 2 * MARGIN)
local ended = redis.call('ZRANGEBYSCORE', key, '-inf', past, 'LIMIT', 0, 10)
if #ended > 0 then
	redis.call('ZREM', key, unpack(ended))
end
expire(key, redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] + MARGIN)
return string.format('%.0f', ends)
