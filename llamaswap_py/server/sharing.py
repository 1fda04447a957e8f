"""Who a request is from, where callers take turns (`fairBetween`)."""

from __future__ import annotations

from aiohttp import web

from llamaswap_py.config.values import Config
from llamaswap_py.server.guard import offered_key


def caller_of(request: web.Request, config: Config) -> str:
    """By its key where keys are set, else by its address; by its session too where that is configured."""
    if config.fair_between == "nobody":
        return ""
    key = offered_key(request.headers) if config.api_keys else ""
    caller = f"key {config.api_keys.index(key) + 1}" if key in config.api_keys else request.remote or ""
    if config.fair_between == "callers":
        return caller
    sessions = (request.headers.get(name, "") for name in config.session_headers)
    return " ".join(filter(None, (caller, next(filter(None, sessions), ""))))
