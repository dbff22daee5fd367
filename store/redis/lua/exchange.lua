-- The whole change of one family: every verdict first, then every write.
--
-- KEYS: the family.
-- ARGV: 1 begin ('1' or ''), 2 keep, 3 indexed until, 4 client, 5 subject,
-- 6 session, 7 created; 8 hash to spend ('' for none), 9 its version, 10 the next,
-- 11 expires, 12 keep, 13 body; 14 hash to extend ('' for none), 15 expires,
-- 16 keep; then hash and record of each that is issued.
local key, begin, keep, spend, extend = KEYS[1], ARGV[1] == '1', ARGV[2], ARGV[8], ARGV[14]

local family = redis.call('HMGET', key, 't', 'x', 'k', 'i', 'c', 's', 'n')
local exists = family[1]
if family[2] then
	return {'REVOKED'}
elseif begin and exists then
	return {'CONFLICT'}
elseif not begin and not exists then
	return {'NOTFOUND'}
end

local old = spend ~= '' and redis.call('HGET', key, 'r' .. spend)
if spend ~= '' and not old or extend ~= '' and redis.call('HEXISTS', key, 'r' .. extend) == 0 then
	return {'NOTFOUND'}
end
local created, kind
if old then
	local version, _
	version, created, _, _, kind = parse(old)
	if not version then
		return {'CORRUPT'}
	elseif version ~= ARGV[9] then
		return {'CONFLICT'}
	end
end
local extended = extend ~= '' and {parse(redis.call('HGET', key, 'r' .. extend))}
if extended and not extended[1] then
	return {'CORRUPT'}
end
for n = 17, #ARGV, 2 do
	if redis.call('HEXISTS', key, 'r' .. ARGV[n]) == 1 then
		return {'CONFLICT'}
	end
end

-- The indexes must name the family for as long as its key lives.
local kept, time = family[3] or '0', now()
local raised = begin or later(kept, keep) ~= kept
local ends = math.max(tonumber(keep), time)
local indexed = math.max(tonumber(ARGV[3]), tonumber(family[4] or '0'))
if raised and ends > indexed then
	return {'INDEX', family[5] or '', family[6] or '', family[7] or ''}
end

if begin then
	redis.call('HSET', key, 't', ARGV[7], 'c', ARGV[4], 's', ARGV[5], 'n', ARGV[6])
elseif #ARGV >= 17 and redis.call('HLEN', key) > 32 then
	-- Each issue looks at five others and drops those that are past their end, so
	-- that a family of many has at most a fifth too many in the long run.
	local some = redis.call('HRANDFIELD', key, 5, 'WITHVALUES')
	for n = 1, #some, 2 do
		if string.sub(some[n], 1, 1) == 'r' then
			local _, _, _, until_ = parse(some[n + 1])
			if until_ and until_ ~= '0' and tonumber(until_) + MARGIN < time then
				redis.call('HDEL', key, some[n])
			end
		end
	end
end
if old then
	local spent = {ARGV[10], created, ARGV[11], ARGV[12], kind, ARGV[13]}
	put(key, spend, spent)
	extended = extended and (extend == spend and spent or extended)
end
if extended then
	extended[3] = later(extended[3], ARGV[15])
	if extended[4] ~= '0' then
		extended[4] = later(extended[4], ARGV[16])
	end
	put(key, extend, extended)
end
for n = 17, #ARGV, 2 do
	redis.call('HSET', key, 'r' .. ARGV[n], ARGV[n + 1])
end
if raised then
	redis.call('HSET', key, 'k', keep, 'i', string.format('%.0f', indexed))
	expire(key, ends)
end
return {'OK'}
