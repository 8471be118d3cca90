-- Asks for one session after another, uniformly at random.
local sessions

function init(arguments)
    sessions = tonumber(arguments[1])
    math.randomseed(tonumber(arguments[2]))
end

function request()
    local id = string.format("scses_%09d", math.random(0, sessions - 1))
    return wrk.format("GET", "/screener-sessions/" .. id)
end
