"""Why a pull fails: one class, its kind for programs, its sentence for the person. Knows nothing of the hub."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Trouble(StrEnum):
    BAD_NAME = "bad_name"
    UNSAFE_NAME = "unsafe_name"
    NO_REPOSITORY = "repository_not_found"
    NO_REVISION = "revision_not_found"
    NO_FILE = "file_not_found"
    AMBIGUOUS = "ambiguous"
    DENIED = "access_denied"
    TOO_MANY_REQUESTS = "rate_limited"
    HUB_FAILED = "hub_failed"
    NO_NETWORK = "no_network"
    NOT_A_MODEL = "not_a_model"
    WRONG_SIZE = "wrong_size"
    WRONG_CHECKSUM = "wrong_checksum"
    DISK_FULL = "disk_full"
    DISK = "disk_failed"
    STOPPED = "stopped"


class PullFailed(Exception):
    """The pull is over, and why. `near` are names that may have been meant."""

    def __init__(self, trouble: Trouble, message: str, near: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message
        self.near = tuple(near)


class Again(Exception):
    """It may go better another time: `failure` is what to say when it never does."""

    def __init__(self, failure: PullFailed, wait: float | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.wait = wait  # seconds, where the server told
