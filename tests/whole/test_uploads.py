"""Uploads and downloads through the running program: they pass through it, they do not stay in it."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.whole.asking import caller, openai_shape, running
from tests.whole.program import LONG, SOCKETS, Program, config, model

MIB = 1024 * 1024
LIMIT = 64 * 1024  # of bodies that are held; uploads are not

# The promise is 500; a run of all tests takes less, LLAMASWAP_TEST_UPLOAD=500 the whole.
SIZE = int(os.environ.get("LLAMASWAP_TEST_UPLOAD", "200")) * MIB
GROWTH = 40 * MIB

BOUNDARY = b"b0undary"
KIND = f"multipart/form-data; boundary={BOUNDARY.decode()}"
PIECE = bytes(range(256)) * 1024


def field(name: str, value: str) -> bytes:
    return b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (
        BOUNDARY,
        name.encode(),
        value.encode(),
    )


FILE_HEAD = (
    b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n' % BOUNDARY
    + b"Content-Type: audio/wav\r\n\r\n"
)
END = b"\r\n--%b--\r\n" % BOUNDARY


class Form:
    """A form with a big file and a model, in the order wanted; counts what it sends."""

    def __init__(self, size: int, model: str, *, last: bool) -> None:
        self.file = size
        before = b"" if last else field("model", model)
        after = b"\r\n" + field("model", model) if last else b"\r\n"
        self.parts = [before + FILE_HEAD, after + field("language", "de")[:-2] + END]
        self.digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.sent(self.parts[0])
        for _ in range(self.file // len(PIECE)):
            yield self.sent(PIECE)
        yield self.sent(self.parts[1])

    def sent(self, data: bytes) -> bytes:
        self.digest.update(data)
        self.size += len(data)
        return data

    @property
    def length(self) -> int:
        return sum(map(len, self.parts)) + self.file // len(PIECE) * len(PIECE)


TEXT = config(
    f"  plain: {{cmd: '{SOCKETS}'}}\n",
    f"  renamed: {{cmd: '{SOCKETS}', useModelName: 'a longer name'}}\n",
    maxBodySize=LIMIT,
    groups="{all: {swap: false, members: [plain, renamed]}}",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("uploads")
    (folder / "temporary").mkdir()
    with Program(folder, TEXT, watch=False, env={"TMPDIR": str(folder / "temporary")}) as started:
        yield started
        assert list((folder / "temporary").iterdir()) == []


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


class Memory:
    """The highest resident memory of the program since it was last asked."""

    def __init__(self, program: Program) -> None:
        self.pid = program.process.pid
        self.before = psutil.Process(self.pid).memory_info().rss
        if sys.platform.startswith("linux"):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def growth(self) -> int:
        if not sys.platform.startswith("linux"):
            return psutil.Process(self.pid).memory_info().rss - self.before
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        peak = next(line for line in status if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024 - self.before

    def tell(self, size: int) -> None:
        """For who runs it with -rP to know the figure."""
        sys.stdout.write(f"memory grew by {self.growth / MIB:.1f} MiB for {size / MIB:.0f} MiB\n")


TRANSCRIBE = "/v1/audio/transcriptions"


@pytest.mark.fault("S62")
@pytest.mark.parametrize("last", [True, False], ids=["model last", "model first"])
@pytest.mark.parametrize("known", [True, False], ids=["known length", "chunked"])
def test_a_big_form_passes_through_and_does_not_stay(
    program: Program, ask: httpx.Client, last: bool, known: bool
) -> None:
    """Byte for byte, wherever the model's name stands, and the memory hardly grows."""
    ask.post(TRANSCRIBE, params={"model": "plain"}, content=b"x").raise_for_status()
    form, memory = Form(SIZE if known else SIZE // 4, "plain", last=last), Memory(program)
    headers = {"Content-Type": KIND, **({"Content-Length": str(form.length)} if known else {})}
    seen = ask.post(TRANSCRIBE, content=iter(form), headers=headers).raise_for_status().json()
    memory.tell(form.size)
    assert (seen["size"], seen["sha256"]) == (form.size, form.digest.hexdigest())
    assert ("content-length" in seen["headers"]) == known
    assert memory.growth < GROWTH


def test_a_big_answer_passes_through_and_does_not_stay(program: Program, ask: httpx.Client) -> None:
    """The same for what comes back."""
    ask.get("/upstream/plain/page").raise_for_status()
    memory, size = Memory(program), 0
    with ask.stream("GET", f"/upstream/plain/download?size={SIZE}") as response:
        for piece in response.iter_raw():
            size += len(piece)
    memory.tell(size)
    assert size == SIZE
    assert memory.growth < GROWTH


@pytest.mark.fault("S53")
def test_a_reader_who_stops_stops_the_server(program: Program, ask: httpx.Client) -> None:
    """What nobody reads is not fetched."""
    ask.get("/upstream/plain/page").raise_for_status()
    memory = Memory(program)
    with ask.stream("GET", f"/upstream/plain/download?size={SIZE}") as response:
        next(response.iter_raw())
        caller_sends_on = ask.get("/health", timeout=LONG)
    assert caller_sends_on.status_code == 200
    assert memory.growth < GROWTH


@pytest.mark.fault("F46")
@pytest.mark.parametrize("last", [True, False], ids=["model last", "model first"])
@pytest.mark.parametrize("known", [True, False], ids=["known length", "chunked"])
def test_only_the_models_name_changes_in_a_form(ask: httpx.Client, last: bool, known: bool) -> None:
    """Every other byte stays, and the length is that of what is sent."""
    form = Form(3 * MIB, "renamed", last=last)
    headers = {"Content-Type": KIND, **({"Content-Length": str(form.length)} if known else {})}
    seen = ask.post(TRANSCRIBE, content=iter(form), headers=headers).raise_for_status().json()
    wanted = b"".join(Form(3 * MIB, "a longer name", last=last))
    assert (seen["size"], seen["sha256"]) == (len(wanted), hashlib.sha256(wanted).hexdigest())


@pytest.mark.parametrize("path", [TRANSCRIBE, "/v1/images/edits"])
def test_the_query_may_name_the_model_of_a_form(ask: httpx.Client, path: str) -> None:
    form = Form(MIB, "nobody", last=True)
    seen = ask.post(path, params={"model": "plain"}, content=iter(form), headers={"Content-Type": KIND}).json()
    assert seen["sha256"] == form.digest.hexdigest()
    assert seen["path"] == f"{path}?model=plain"


BAD = {
    "no model": (field("language", "de")[:-2] + END, KIND, 400, "missing_model", 'add a form field "model"'),
    "no boundary": (b"x", "multipart/form-data", 400, "bad_request", "without a boundary"),
    "unknown": (field("model", "nobody")[:-2] + END, KIND, 404, "model_not_found", "no model 'nobody'"),
    "endless name": (field("model", "x" * 5000)[:-2] + END, KIND, 400, "bad_request", "field model is longer"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_forms(ask: httpx.Client, bad: tuple[bytes, str, int, str, str]) -> None:
    body, kind, status, code, sentence = bad
    response = ask.post(TRANSCRIBE, content=body, headers={"Content-Type": kind})
    assert response.status_code == status
    assert openai_shape(response)[0] == code
    assert sentence in openai_shape(response)[1]


def test_a_compressed_form_is_told_what_to_do(ask: httpx.Client) -> None:
    response = ask.post(TRANSCRIBE, content=b"x", headers={"Content-Type": KIND, "Content-Encoding": "gzip"})
    assert response.status_code == 415
    assert "?model=" in openai_shape(response)[1]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_compressed_body_is_passed_on_as_sent(ask: httpx.Client, pack: object) -> None:
    """And opened only where its model gets another name."""
    assert callable(pack)
    coding = "gzip" if pack is gzip.compress else "deflate"
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    packed = pack(b'{"model": "plain", "input": "x"}')
    seen = ask.post("/v1/audio/speech", content=packed, headers=headers).json()
    assert (seen["sha256"], seen["headers"]["content-encoding"]) == (hashlib.sha256(packed).hexdigest(), coding)
    seen = ask.post("/v1/audio/speech", content=pack(b'{"model": "renamed"}'), headers=headers).json()
    assert seen["sha256"] == hashlib.sha256(b'{"model": "a longer name"}').hexdigest()
    assert "content-encoding" not in seen["headers"]


@pytest.mark.fault("S64")
def test_a_bomb_is_too_large(ask: httpx.Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = gzip.compress(b'{"model": "plain", "input": "%b"}' % (b" " * LIMIT))
    response = ask.post("/v1/audio/speech", content=packed, headers=headers)
    assert response.status_code == 413
    assert openai_shape(response)[0] == "request_too_large"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_urlencoded_form_names_its_model_and_passes_as_sent(ask: httpx.Client) -> None:
    seen = ask.post("/v1/audio/voices", content=b"a=%7e&model=plain", headers=FORM).json()
    assert seen["sha256"] == hashlib.sha256(b"a=%7e&model=plain").hexdigest()
    seen = ask.post("/v1/audio/voices?x=%7e", content=b"a=%7e&model=renamed", headers=FORM).json()
    assert seen["sha256"] == hashlib.sha256(b"a=%7e&model=a+longer+name").hexdigest()
    assert seen["path"] == "/v1/audio/voices?x=%7e"


def test_json_as_curl_sends_it_is_told_what_to_do(ask: httpx.Client) -> None:
    response = ask.post("/v1/audio/speech", content=b'{"model": "plain"}', headers=FORM)
    assert response.status_code == 415
    assert "send it with Content-Type: application/json" in openai_shape(response)[1]


ROUTES = {
    ("GET", "/v1/audio/voices"): "/v1/audio/voices",
    ("GET", "/sdapi/v1/loras"): "/sdapi/v1/loras",
    ("GET", "/props"): "/props",
    ("HEAD", "/props"): "/props",
    ("POST", "/audioapi/v1/tasks/run"): "/v1/tasks/run",
    ("POST", "/sdapi/v1/txt2img"): "/sdapi/v1/txt2img",
    ("POST", "/sdapi/v1/img2img"): "/sdapi/v1/img2img",
    ("POST", "/v1/images/generations"): "/v1/images/generations",
    ("POST", "/v/chat/completions"): "/chat/completions",
    ("POST", "/v/messages/count_tokens"): "/messages/count_tokens",
    ("POST", "/v/reranking"): "/reranking",
}


@pytest.mark.parametrize(("route", "arrives"), ROUTES.items(), ids=str)
def test_routes_arrive_where_the_servers_have_them(ask: httpx.Client, route: tuple[str, str], arrives: str) -> None:
    method, path = route
    for name, called in (("plain", "plain"), ("renamed", "a+longer+name")):
        if method == "POST":
            seen = ask.post(f"{path}?x=%7e", json={"model": name}).raise_for_status().json()
            assert seen["path"] == f"{arrives}?x=%7e"
        else:
            response = ask.request(method, f"{path}?x=%7e&model={name}").raise_for_status()
            assert method == "HEAD" or response.json()["path"] == f"{arrives}?x=%7e&model={called}"


def test_a_server_that_answers_before_the_upload_is_over_is_heard(program: Program, ask: httpx.Client) -> None:
    """The caller need not send the rest to get the answer."""
    ask.get("/upstream/plain/page").raise_for_status()
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as connection:
        head = b"POST /upstream/plain/early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
        connection.sendall(head + b"x" * 1000)
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.fault("S63")
def test_continue_is_said_to_uploads_too(program: Program, ask: httpx.Client) -> None:
    """Once, when the first piece is asked for."""
    body = field("model", "plain")[:-2] + END
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as connection:
        head = f"POST {TRANSCRIBE} HTTP/1.1\r\nHost: x\r\nContent-Type: {KIND}\r\nExpect: 100-continue\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert connection.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"


def seated(program: Program) -> int:
    seats: int = running(program)["plain"]["seated"]
    return seats


def until(true: Callable[[], bool]) -> None:
    """Ask again and again; each question is a request of its own, so nothing is hurried."""
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline


@pytest.mark.fault("S62")
@pytest.mark.parametrize("path", ["/upstream/plain/x", f"{TRANSCRIBE}?model=plain"])
def test_a_caller_who_leaves_in_the_middle_of_an_upload_frees_its_seat(
    program: Program, ask: httpx.Client, path: str
) -> None:
    ask.get("/upstream/plain/page").raise_for_status()
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {KIND}\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 1000)
        until(lambda: seated(program) == 1)
    until(lambda: seated(program) == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody tells before the rest was read")
def test_a_caller_who_leaves_while_its_upload_waits_unread_waits_no_more(tmp_path: Path) -> None:
    """Its model is not ready, and no more of the upload is taken than fits: that hides the end of the connection."""
    never = config(model("never", "--never-healthy", healthCheckTimeout=600))
    with Program(tmp_path, never) as program:
        url = httpx.URL(program.url)
        with socket.create_connection((url.host, url.port or 0), LONG) as connection:
            head = b"POST /upstream/never/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
            connection.sendall(head + b"x" * MIB)
            until(lambda: "never" in running(program) and running(program)["never"]["waiting"] == 1)
        until(lambda: running(program)["never"]["waiting"] == 0)
        assert running(program)["never"]["state"] == "starting"


def test_a_body_whose_chunks_are_none_is_a_bad_request(program: Program) -> None:
    url = httpx.URL(program.url)
    with socket.create_connection((url.host, url.port or 0), LONG) as connection:
        head = f"POST {TRANSCRIBE} HTTP/1.1\r\nHost: x\r\nContent-Type: {KIND}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"zz\r\n")
        assert connection.recv(12, socket.MSG_WAITALL)[9:] == b"400"  # whoever of us meets it first
