"""Who a request is from, where callers take turns (`fairBetween`)."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from llamaswap_py.config.values import Config
from llamaswap_py.observe.redaction import text_of
from llamaswap_py.server.guard import offered_key

LONGEST_SESSION = 200  # characters of it that are written down


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


class Whose:
    """For the records: which key, by its place in `apiKeys`, and which session. Never the key itself."""

    def __init__(self, config: Config) -> None:
        self.keys = {key: f"key {place}" for place, key in enumerate(config.api_keys, 1)}
        self.sessions = config.session_headers

    def __call__(self, headers: Mapping[str, str]) -> tuple[str, str]:
        key = self.keys.get(offered_key(headers), "") if self.keys else ""
        for name in self.sessions:
            session = headers.get(name)
            if session:
                return key, text_of(session[:LONGEST_SESSION])
        return key, ""
