"""What we ask of the hub, through huggingface_hub, which is imported here only, and what its refusals mean."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from itertools import islice

import httpx2
import msgspec
from huggingface_hub import HfApi, constants, get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, parse_ratelimit_headers  # type: ignore[attr-defined]  # named late

from llamaswap_py.library.pull.choice import RemoteFile
from llamaswap_py.library.pull.names import Wish
from llamaswap_py.library.pull.troubles import Again, PullFailed, Trouble

SILENCE = 30.0  # seconds without a byte; storage behind the hub sometimes takes ten to begin
LOOKED_AT = 100  # names per question, where one was misspelt
RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
WORDS = re.compile(r"[A-Za-z0-9.]+")

logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its advice is about its own download


class Repository(msgspec.Struct, frozen=True):
    id: str
    commit: str  # all files are taken from one
    files: tuple[RemoteFile, ...]


class Stream(msgspec.Struct, frozen=True):
    """A file's bytes from `start` on; `total` is the whole file's length, where the server says it."""

    start: int
    total: int | None
    kind: str
    pieces: Iterator[bytes]


class Hub:
    """One repository on the hub, at $HF_ENDPOINT, with $HF_TOKEN or the token that `hf auth login` stored."""

    def __init__(self, wish: Wish, endpoint: str = "", token: str | bool | None = None) -> None:
        self.wish = wish
        self.endpoint = endpoint or constants.ENDPOINT
        self.token = token
        self.api = HfApi(self.endpoint, token, library_name="llamaswap")

    def repository(self) -> Repository:
        with self.understood():
            info = self.api.model_info(
                self.wish.repo, revision=self.wish.revision or None, files_metadata=True, timeout=SILENCE
            )
        files = tuple(
            RemoteFile(
                each.rfilename,
                each.size or 0,
                each.lfs.sha256 if each.lfs else "",
                "" if each.lfs else each.blob_id or "",
            )
            for each in info.siblings or ()
        )
        same = info.id.lower() == self.wish.repo.lower()  # the hub spells it right; a renamed one stays what was asked
        return Repository(info.id if same else self.wish.repo, info.sha or self.wish.revision or "main", files)

    @contextmanager
    def open(self, commit: str, path: str, start: int) -> Iterator[Stream]:
        url = hf_hub_url(self.wish.repo, path, revision=commit, endpoint=self.endpoint)
        headers = {**self.headers(), "Accept-Encoding": "identity"}
        headers |= {"Range": f"bytes={start}-"} if start else {}
        with self.understood(path), get_session().stream("GET", url, headers=headers, timeout=SILENCE) as response:
            if response.status_code >= 400:
                response.read()
                hf_raise_for_status(response)
            yield stream_of(response)

    # -- what went wrong

    @contextmanager
    def understood(self, path: str = "") -> Iterator[None]:
        """Raises PullFailed or Again instead of what the libraries raise. What the disk says passes."""
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL, OfflineModeIsEnabled, HFValidationError) as error:
            raise self.meaning(error, path) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            if path:
                raise
            # The library takes for granted that a list of files is one.
            text = f"{self.endpoint} does not answer as a hub does ({said(error)}); see HF_ENDPOINT."
            raise PullFailed(Trouble.HUB_FAILED, text) from error

    def meaning(self, error: Exception, path: str) -> PullFailed | Again:
        repo = self.wish.repo
        match error:
            case GatedRepoError():
                return PullFailed(Trouble.DENIED, self.gated())
            case RepositoryNotFoundError():
                private = "" if self.has_token() else " If it is private, set HF_TOKEN."
                return PullFailed(Trouble.NO_REPOSITORY, f"There is no {repo} at {self.endpoint}.{private}")
            case RevisionNotFoundError():
                return PullFailed(Trouble.NO_REVISION, f"{repo} has no revision '{self.wish.revision}'.")
            case EntryNotFoundError():
                return PullFailed(Trouble.NO_FILE, f"{repo} has no file {path}.")
            case HfHubHTTPError():
                return self.refused(error, path)
            case httpx2.TooManyRedirects():
                return PullFailed(Trouble.HUB_FAILED, f"{self.endpoint} leads in circles at {path or repo}.")
            case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
                return PullFailed(Trouble.BAD_NAME, f"'{self.endpoint}' is not an address; see HF_ENDPOINT.")
            case HFValidationError():
                return PullFailed(Trouble.BAD_NAME, f"'{repo}' is not the name of a repository: {said(error)}")
            case OfflineModeIsEnabled():
                return PullFailed(Trouble.NO_NETWORK, "HF_HUB_OFFLINE is set, so nothing is asked of the hub.")
        return Again(PullFailed(Trouble.NO_NETWORK, f"{self.endpoint} cannot be reached ({said(error)})."))

    def refused(self, error: HfHubHTTPError, path: str) -> PullFailed | Again:
        status = error.response.status_code
        what = path or self.wish.repo
        if status in (401, 403):
            return PullFailed(Trouble.DENIED, self.denied(status, what))
        if status == 404:
            return PullFailed(
                Trouble.NO_FILE if path else Trouble.NO_REPOSITORY, f"There is no {what} at {self.endpoint}."
            )
        if status == 416:
            return PullFailed(Trouble.WRONG_SIZE, f"{what} is shorter than the hub's list says.")
        if status == 429:
            text = f"{self.endpoint} says that there were too many requests."
            text += "" if self.has_token() else " Who sets HF_TOKEN may ask more often."
            return Again(PullFailed(Trouble.TOO_MANY_REQUESTS, text), told(error.response))
        failure = PullFailed(Trouble.HUB_FAILED, f"{self.endpoint} answered {status} for {what}.")
        return Again(failure, told(error.response)) if status >= 500 or status == 408 else failure

    def gated(self) -> str:
        page = f"{self.endpoint}/{self.wish.repo}"
        token = "" if self.has_token() else " Then set HF_TOKEN to a token of yours."
        return f"{self.wish.repo} is given only to those who accept its terms: do so at {page}.{token}"

    def denied(self, status: int, what: str) -> str:
        remedy = "HF_TOKEN gives it none" if self.has_token() else "set HF_TOKEN to a token that may read it"
        return f"{self.endpoint} denies access to {what} ({status}): {remedy}."

    def headers(self) -> dict[str, str]:
        found: dict[str, str] = build_hf_headers(token=self.token, library_name="llamaswap")
        return found

    def has_token(self) -> bool:
        return "authorization" in self.headers()

    # -- what may have been meant

    def near(self) -> list[str]:
        """Names of repositories like the one that is not there; none where the hub does not say."""
        owner, _, name = self.wish.repo.rpartition("/")
        words = sorted(WORDS.findall(name), key=len, reverse=True)
        names: dict[str, str] = {}
        try:
            for found in self.asked(owner, [name, *words[:2]]):
                names[found.lower()] = found
        except (httpx2.HTTPError, OSError, ValueError):
            return []
        close = get_close_matches(self.wish.repo.lower(), names, 5, 0.6)
        ends = {name.rpartition("/")[2]: name for name in names}  # another owner's of nearly that name
        close += [ends[end] for end in get_close_matches(name.lower(), ends, 5, 0.75)]
        return [names[each] for each in dict.fromkeys(close)][:5]

    def asked(self, owner: str, words: Iterable[str]) -> Iterator[str]:
        if owner:
            yield from (each.id for each in islice(self.api.list_models(author=owner, limit=LOOKED_AT), LOOKED_AT))
        for word in words:
            yield from (each.id for each in islice(self.api.list_models(search=word, limit=LOOKED_AT), LOOKED_AT))


def stream_of(response: httpx2.Response) -> Stream:
    length = response.headers.get("Content-Length", "")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    place = RANGE.fullmatch(response.headers.get("Content-Range", "")) if response.status_code == 206 else None
    start, total = (int(place[1]), int(place[2])) if place else (0, int(length) if length.isdecimal() else None)
    return Stream(start, total, kind, response.iter_raw())


def told(response: httpx2.Response) -> float | None:
    """Seconds that the server asks to wait."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        limits = parse_ratelimit_headers(response.headers)
    return float(limits.reset_in_seconds) if limits else None


def said(error: Exception) -> str:
    """Its first line, or what it is."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
