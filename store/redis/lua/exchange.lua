-- The whole change of one family: every verdict first, then every write.
--
-- KEYS: the family.
-- ARGV: 1 begin ('1' or ''), 2 keep, 3 client, 4 subject, 5 session, 6 created;
-- 7 indexed until, 8 of which subject, 9 of which session; 10 hash to spend ('' for
-- none), 11 its version, 12 the next, 13 expires, 14 keep, 15 body; 16 hash to extend
-- ('' for none), 17 expires, 18 keep; then hash and record of each that is issued.
local key, begin, keep, spend, extend = KEYS[1], ARGV[1] == '1', ARGV[2], ARGV[10], ARGV[16]

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
	elseif version ~= ARGV[11] then
		return {'CONFLICT'}
	end
end
local extended = extend ~= '' and {parse(redis.call('HGET', key, 'r' .. extend))}
if extended and not extended[1] then
	return {'CORRUPT'}
end
for n = 19, #ARGV, 2 do
	if redis.call('HEXISTS', key, 'r' .. ARGV[n]) == 1 then
		return {'CONFLICT'}
	end
end

-- A family without a subject takes the one that the change names.
local client, subject, session = family[5] or '', family[6] or '', family[7] or ''
local binds = not begin and subject == '' and ARGV[4] ~= ''
if begin then
	client = ARGV[3]
end
if begin or binds then
	subject, session = ARGV[4], ARGV[5]
end

-- The indexes must name the family for as long as its key lives. Those of another
-- subject or session than it will have do not count.
local kept, time = family[3] or '0', now()
local raised = begin or later(kept, keep) ~= kept
local until_, ends, indexed = raised and keep or kept
if raised or binds then
	ends = math.max(tonumber(until_), time)
	indexed = binds and 0 or tonumber(family[4] or '0')
	if ARGV[8] == subject and ARGV[9] == session then
		indexed = math.max(indexed, tonumber(ARGV[7]))
	end
	if ends > indexed then
		return {'INDEX', client, subject, session, until_}
	end
	redis.call('HSET', key, 's', subject, 'n', session, 'k', until_, 'i', string.format('%.0f', indexed))
	expire(key, ends)
end

if begin then
	redis.call('HSET', key, 't', ARGV[6], 'c', client)
elseif #ARGV >= 19 and redis.call('HLEN', key) > 32 then
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
	local spent = {ARGV[12], created, ARGV[13], ARGV[14], kind, ARGV[15]}
	put(key, spend, spent)
	extended = extended and (extend == spend and spent or extended)
end
if extended then
	extended[3] = later(extended[3], ARGV[17])
	if extended[4] ~= '0' then
		extended[4] = later(extended[4], ARGV[18])
	end
	put(key, extend, extended)
end
for n = 19, #ARGV, 2 do
	redis.call('HSET', key, 'r' .. ARGV[n], ARGV[n + 1])
end
return {'OK'}
