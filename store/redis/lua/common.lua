-- Instants are microseconds since 1970 in decimal; 0 is none, which is before all
-- others. Clocks may differ by MARGIN, so a key outlives its end by that much.
local HOUR = 3600 * 1000000
local MARGIN = HOUR / 6

local function now()
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2]
end

local function later(a, b)
	if a == '0' or (b ~= '0' and tonumber(b) > tonumber(a)) then
		return b
	end
	return a
end

-- expire lets the key go a margin after at.
local function expire(key, at)
	redis.call('PEXPIREAT', key, string.format('%.0f', (at + MARGIN) / 1000))
end

-- parse takes a record apart: version, created, expires, keep, kind, body.
local function parse(value)
	return string.match(value, '^(%d+) (%-?%d+) (%-?%d+) (%-?%d+) ([^\n]*)\n(.*)$')
end

local function put(key, hash, record)
	local head = table.concat(record, ' ', 1, 5)
	redis.call('HSET', key, 'r' .. hash, head .. '\n' .. record[6])
end

