-- Asks for one session after another, uniformly at random. Arguments: how many there are, a seed, and
-- the path of one as a format.
local sessions, path

function init(arguments)
    sessions, path = tonumber(arguments[1]), arguments[3]
    math.randomseed(tonumber(arguments[2]))
end

function request()
    return wrk.format("GET", string.format(path, math.random(0, sessions - 1)))
end
