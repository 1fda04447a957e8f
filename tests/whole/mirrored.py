"""Requests to models whose server, the mirror, says what it was asked."""

from __future__ import annotations

import json

import httpx

from tests.conformance.scene import Seen, seen
from tests.whole.talk import CHAT


def post(client: httpx.Client, body: bytes, path: str = CHAT, **headers: str) -> Seen:
    return seen(client.post(path, content=body, headers={"Content-Type": "application/json", **headers}))


def asking(client: httpx.Client, name: str) -> Seen:
    """The smallest request for a model."""
    return post(client, json.dumps({"model": name}).encode())
