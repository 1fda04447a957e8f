"""Every refusal a caller can meet, one flat family: class, status, code.

The shape of the answer is the dialect's business; the sentence is written where the refusal is raised
and must be one a person can act on. `ConfigError` is for the operator, not for callers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import msgspec


class Refusal(Exception):
    """A request that will not be served, and why."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    def afresh(self) -> Self:
        """The same, as if it had never been raised: what is kept or told to several is raised as another, and what was
        raised is kept as another, for all that an exception is raised through hangs on it as long as it lives."""
        fresh = type(self).__new__(type(self), *self.args)
        fresh.__dict__.update(self.__dict__)
        return fresh


class Internal(Refusal):
    """Our own mistake; the details are in the log, not in the answer."""


class BadRequest(Refusal):
    status = 400
    code = "bad_request"


class MissingModel(Refusal):
    status = 400
    code = "missing_model"


class Unauthorized(Refusal):
    status = 401
    code = "unauthorized"


class ForeignHost(Refusal):
    status = 403
    code = "foreign_host"


class ForeignOrigin(Refusal):
    status = 403
    code = "foreign_origin"


class NotWritable(Refusal):
    """A file of the configuration may not be read or written by this program."""

    status = 403
    code = "not_writable"


class NoSuchRoute(Refusal):
    status = 404
    code = "not_found"


class NoSuchRecord(Refusal):
    status = 404
    code = "not_found"


class UnknownModel(Refusal):
    status = 404
    code = "model_not_found"


class MethodNotAllowed(Refusal):
    status = 405
    code = "method_not_allowed"


class NotLoaded(Refusal):
    """The model is not up, and this kind of request does not start it."""

    status = 409
    code = "conflict"


class Stalled(Refusal):
    """The caller began to send a body and then sent nothing more, or next to nothing."""

    status = 408
    code = "request_timeout"


class NoRoom(Refusal):
    """What would have to go is pinned."""

    status = 409
    code = "no_room"


class ChangedMeanwhile(Refusal):
    """What is to be overwritten is not what was read."""

    status = 412
    code = "changed_meanwhile"


class BodyTooLarge(Refusal):
    status = 413
    code = "request_too_large"


class UnsupportedMedia(Refusal):
    status = 415
    code = "unsupported_media_type"


class ConfigRefused(Refusal):
    """A text that would not be accepted as the configuration; each mistake stands beside it."""

    status = 422
    code = "config_refused"


class NotConditional(Refusal):
    """It does not say what it is to overwrite."""

    status = 428
    code = "precondition_required"


class TooManyRequests(Refusal):
    """The model's `concurrencyLimit` is reached."""

    status = 429
    code = "concurrency_limit"


class QueueFull(Refusal):
    """As many wait for the model as may."""

    status = 429
    code = "queue_full"


class Cancelled(Refusal):
    """An operator ended the request. A client would try again after a status of 5xx, and here it must not."""

    status = 499
    code = "cancelled"


class StartFailed(Refusal):
    """The model's command could not be run, or ended before it was ready."""

    status = 502
    code = "model_start_failed"


class UpstreamFailed(Refusal):
    """The model's server died or broke the protocol while it answered."""

    status = 502
    code = "upstream_failed"


class StartBackoff(Refusal):
    """The model failed to start a moment ago; it is not tried again before `retry_after`."""

    status = 503
    code = "model_start_backoff"


class GaveUp(Refusal):
    """The model failed so often that it is tried once in a while only, or by order."""

    status = 503
    code = "model_gave_up"


class SystemLimit(Refusal):
    """Nothing is wrong with the model: the machine has no process, descriptor or memory left to start it with."""

    status = 503
    code = "system_limit"


class Leaked(Refusal):
    """A process of the model's last run survives SIGKILL; until it is gone there is no room for another."""

    status = 503
    code = "model_leaked"


class Unloaded(Refusal):
    """The model was stopped by order (unload, reload) while the request waited or was being answered."""

    status = 503
    code = "model_unloaded"


class NotKnown(Refusal):
    """What was asked cannot be said, or not yet."""

    status = 503
    code = "service_unavailable"


class Disabled(Refusal):
    """The model's own part of the configuration is wrong."""

    status = 503
    code = "model_disabled"


class NoTarget(Refusal):
    """None of the models that a selector may choose can be used just now."""

    status = 503
    code = "service_unavailable"


class Overloaded(Refusal):
    """More at once than there may be: connections, or callers who wait."""

    status = 503
    code = "overloaded"


class ShuttingDown(Refusal):
    status = 503
    code = "shutting_down"


class StorageFull(Refusal):
    """No room on the disk for what has to be kept of a body."""

    status = 507
    code = "insufficient_storage"


class QueueTimeout(Refusal):
    """The caller waited as long as it may."""

    status = 504
    code = "queue_timeout"


class StartTimeout(Refusal):
    """The model's server ran but never became ready."""

    status = 504
    code = "model_start_timeout"


class UpstreamTimeout(Refusal):
    status = 504
    code = "upstream_timeout"


FAMILY: tuple[type[Refusal], ...] = (Refusal, *Refusal.__subclasses__())
STATUSES = {each.code: each.status for each in FAMILY}


class Mistake(msgspec.Struct, frozen=True):
    """One thing wrong in the configuration: where, what, and what to do about it."""

    file: str
    line: int  # 1-based; 0 where the file as a whole is meant
    column: int  # 1-based; 0 as above
    key: str  # dotted path, as `models.qwen.ttl`; empty for the file as a whole
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f" {self.key}:" if self.key else ""
        return f"{place}:{subject} {self.message}. {self.remedy}".rstrip()


class ConfigError(Exception):
    """The configuration cannot be used; every mistake in it, in file order, and what was told beside them."""

    def __init__(self, mistakes: Sequence[Mistake], warnings: Sequence[Mistake] = ()) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)
        self.warnings = tuple(warnings)
