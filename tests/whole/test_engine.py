"""The engine as a process of its own: answers as llama-server does, ends at once, and never outlives who started it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from llamaswap_py.gguf.header import read_header
from llamaswap_py.gguf.memory import cache
from tests.fakes.tiny_gguf import Tiny

pytest.importorskip("xllamacpp", reason="the engine's library is not installed on this platform")
if sys.platform == "win32":
    pytest.skip("signals and parents are those of Unix", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "llamaswap_py", "engine")
LONG = 30.0
READY = r"engine: ready at (http://\S+)"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Tiny().write(tmp_path_factory.mktemp("model") / "tiny.gguf")


class Engine:
    """`with Engine("-m", path) as engine:`; its stderr is read line by line."""

    def __init__(self, *words: str | Path, command: tuple[str, ...] = COMMAND, **env: str) -> None:
        self.words = [*command, *map(str, words)]
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
        self.seen = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.words, cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, pattern: str) -> re.Match[str]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.seen += line.decode()
            if match := re.search(pattern, self.seen):
                return match
        raise AssertionError(f"it ended without {pattern!r}:\n{self.seen}")

    def ready(self) -> str:
        return self.wait_for(READY)[1]

    def end(self) -> tuple[int, str]:
        _, rest = self.process.communicate(timeout=LONG)
        return self.process.returncode, self.seen + rest.decode()


def ask(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=LONG)


def chat(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello"}], **more}


@pytest.fixture(params=["native", "table"])
def engine(request: pytest.FixtureRequest, model: Path) -> Iterator[Engine]:
    """Its flags read by llama.cpp, and by our own table; in old spellings."""
    words = ("-m", model, "--port", "0", "--alias", "tiny", "-c", "2048", "--no-mmap", "-fa", "--metrics")
    with Engine(*words, LLAMASWAP_ENGINE_FLAGS=request.param) as running:
        yield running


def test_it_answers_as_llama_server_does(engine: Engine) -> None:
    url = engine.ready()
    assert json.load(urllib.request.urlopen(f"{url}/health")) == {"status": "ok"}
    assert json.load(urllib.request.urlopen(f"{url}/v1/models"))["data"][0]["id"] == "tiny"
    assert json.load(urllib.request.urlopen(f"{url}/props"))["total_slots"] == 4
    assert b"llamacpp:" in urllib.request.urlopen(f"{url}/metrics").read()
    answer = ask(f"{url}/v1/chat/completions", chat(stream=True, max_tokens=5, ignore_eos=True)).read().decode()
    assert answer.count("data: ") >= 6
    assert answer.rstrip().endswith("data: [DONE]")


def test_old_spellings_are_named_and_the_load_is_reported(engine: Engine) -> None:
    engine.ready()
    assert "--no-mmap is gone from llama-server. Write --load-mode none." in engine.seen
    assert "engine: loading the model: 100 %" in engine.seen
    assert "cmd_child_to_router" not in engine.seen


def generating(url: str) -> Any:
    """An answer that would go on for long, of which the first line was read, and whose reader stays."""
    answer = ask(f"{url}/v1/chat/completions", chat(stream=True, max_tokens=1_000_000, ignore_eos=True))
    assert answer.readline().startswith(b"data: ")
    return answer


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_it_stops_within_a_second_while_generating(model: Path, numbers: list[signal.Signals]) -> None:
    with Engine("-m", model, "--port", "0", "-c", "2048", "--context-shift") as engine:
        answer = generating(engine.ready())
        before = time.monotonic()
        for number in numbers:
            engine.process.send_signal(number)
        assert engine.process.wait(LONG) == 0
        assert time.monotonic() - before < 1
        answer.close()


def test_it_stops_at_once_while_the_model_loads(tmp_path: Path) -> None:
    """A pipe nobody writes into takes forever to load."""
    os.mkfifo(tmp_path / "slow.gguf")
    with Engine("-m", tmp_path / "slow.gguf", "--port", "0") as engine:
        engine.wait_for("loading model")
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(LONG) == -signal.SIGTERM


def test_it_says_on_health_that_the_model_loads(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.gguf")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Engine("-m", tmp_path / "slow.gguf", "--port", str(port)) as engine:
        engine.wait_for("engine: loading the model: 0 %|loading model")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        assert refused.value.code == 503
        assert json.load(refused.value)["error"]["message"] == "Loading model"
        refused.value.close()


PARENT = "import subprocess, sys; subprocess.Popen(sys.argv[1:]); sys.stdin.read()"


@pytest.mark.parametrize("when", ["serving", "loading"])
def test_it_ends_with_its_parent(model: Path, tmp_path: Path, when: str) -> None:
    """Its stderr is at its end only when the engine, and whatever it started, is gone."""
    os.mkfifo(tmp_path / "slow.gguf")
    path, line = (model, READY) if when == "serving" else (tmp_path / "slow.gguf", "loading model")
    with Engine("-m", path, "--port", "0", command=(sys.executable, "-c", PARENT, *COMMAND)) as engine:
        stderr = engine.process.stderr
        assert stderr is not None
        # The parent waits for the end of its input, which the test holds open: it is killed instead.
        engine.wait_for(line)
        engine.process.kill()
        reader = threading.Thread(target=stderr.read, daemon=True)
        reader.start()
        reader.join(LONG)
        assert not reader.is_alive()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a model file: -m FILE.gguf"),
        (["--nonsense"], "invalid argument: --nonsense"),
        (["-m", "/nowhere.gguf", "--port", "0"], "engine: the model file /nowhere.gguf cannot be read: No such file"),
        (["-m", "README.md", "--port", "0"], "engine: README.md cannot be used: this is no GGUF file"),
        (["-m", "tests", "--port", "0"], "engine: the model file tests cannot be read: Is a directory"),
        (["-m", "x.gguf", "--port", "eighty"], "--port"),
    ],
)
def test_what_cannot_be_served_ends_with_1_and_a_sentence(words: list[str], sentence: str) -> None:
    with Engine(*words) as engine:
        status, said = engine.end()
        assert status == 1
        assert sentence in said


def test_a_port_that_is_taken_ends_with_1_and_is_named(model: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken, Engine("-m", model, "--port", str(port)) as engine:
        status, said = engine.end()
    assert status == 1
    assert f"engine: cannot listen on 127.0.0.1, port {port}: Address already in use." in said


def test_a_file_that_is_not_whole_ends_with_1_and_says_so(model: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.gguf"
    part.write_bytes(model.read_bytes()[:-1000])
    with Engine("-m", part, "--port", "0") as engine:
        status, said = engine.end()
    assert status == 1
    assert f"engine: the model file {part} is not whole" in said


def test_without_its_library_it_says_how_to_get_one() -> None:
    program = "import sys; sys.modules['xllamacpp'] = None; from llamaswap_py.engine import program; "
    with Engine(command=(sys.executable, "-c", program + "sys.exit(program.run(['-m', 'x.gguf']))")) as engine:
        status, said = engine.end()
        assert status == 1
        assert "needs the package xllamacpp" in said
        assert "$LLAMA_SERVER" in said


def test_a_unix_socket_is_served_and_taken_away(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with Engine("-m", model, "--host", path) as engine:
        engine.wait_for("engine: ready")
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            caller.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert b"200 OK" in caller.recv(4096)
        engine.process.send_signal(signal.SIGTERM)
        assert engine.end()[0] == 0
    assert not path.exists()


def test_embeddings_and_ranks_are_served(tmp_path: Path) -> None:
    embedding = Tiny().write(tmp_path / "e.gguf", "embedding")
    with Engine("-m", embedding, "--port", "0", "--embeddings") as engine:
        answer = json.load(ask(f"{engine.ready()}/v1/embeddings", {"input": "hello"}))
        assert len(answer["data"][0]["embedding"]) == 64
    reranker = Tiny().write(tmp_path / "r.gguf", "reranker")
    with Engine("-m", reranker, "--port", "0", "--rerank") as engine:
        answer = json.load(ask(f"{engine.ready()}/v1/rerank", {"query": "a", "documents": ["b", "c"]}))
        assert len(answer["results"]) == 2


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_the_cache_is_as_large_as_we_say_beforehand(tmp_path: Path, kind: str) -> None:
    path = Tiny(width=128, context=8192).write(tmp_path / "wide.gguf")  # a head of 32: as long as a block of q8_0
    data = path.read_bytes()
    header = read_header(lambda offset, size: data[offset : offset + size])
    with Engine("-m", path, "--port", "0", "-c", "8000", "-ctk", kind, "-fa", "on", "-lv", "5") as engine:
        told = engine.wait_for(r"llama_kv_cache: size = +([0-9.]+) MiB")[1]
    assert float(told) == pytest.approx(cache(header, 8000, keys=kind) / 2**20, abs=0.005)  # two places are printed


def test_help_and_version_are_llama_cpps(model: Path) -> None:
    for flag, sign in (("--help", b"--ctx-size"), ("--version", b"build")):
        done = subprocess.run([*COMMAND, flag], cwd=ROOT, capture_output=True, check=False, timeout=LONG)
        assert done.returncode == 0
        assert sign in done.stdout + done.stderr
