"""Faults of processes: short of something, one at a time, and what a server is given."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamaswap_py.keeper import cgroups, table, trees
from tests.fakes.witness import FAMILY
from tests.whole.faults.trees import (
    STRAY,
    Alive,
    again,
    group_of,
    keeper_of,
    processor_seconds,
    together,
)
from tests.whole.program import LONG, ROOT, Program, config, fake, model
from tests.whole.talk import CHAT, caller, chat_body, running, stream, streamed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="session, subreaper and marks as Linux has them")


# -- short of something


async def test_p26_a_thousand_orphans_are_reaped_at_no_cost(tmp_path: Path) -> None:
    """Short-lived grandchildren come to the keeper: no zombie stays, and it does not spend its time on them."""
    with Alive(tmp_path) as alive:
        storm = f"{sys.executable} -I -S {FAMILY} {alive.path} storm 1000"
        text = f"  s:\n    cmd: {storm}\n    proxy: http://127.0.0.1:9\n    checkEndpoint: none\n"
        with Program(tmp_path, together("a", "s") + config(model("a"), text)) as program:
            async with caller(program) as client:
                await client.post("/api/models/load/s")
                await asyncio.to_thread(alive.heard, 1)
                assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
            keeper = keeper_of(program)
            assert not [row for row in table.snapshot().values() if row.parent == keeper and not row.alive]
            assert processor_seconds(keeper) < 3, "a look at the table for each of them would take longer"


async def test_p27_no_process_to_be_had_is_a_503_and_passes(open_folder: Path) -> None:
    """Fork fails for the user's limit: the caller hears which, and when it is lifted the next request is served."""
    program = Program(open_folder, config(model("a")))
    program.wrapped = somebody()
    with program:
        keeper = keeper_of(program)
        await limit_processes(keeper, 0)
        async with caller(program) as client:
            refused = await client.post(CHAT, json=chat_body("a", "hello"))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "system_limit")
            await limit_processes(keeper, resource.getrlimit(resource.RLIMIT_NPROC)[0])
            await client.post("/api/models/reset/a")
            assert (await stream(client, "a", "hello")).data == streamed("a", "hello")


async def limit_processes(pid: int, limit: int) -> None:
    """By the user whose process it is: that needs no right that root may lack in a sandbox."""
    argv = [*somebody(), "prlimit", f"--pid={pid}", f"--nproc={limit}:"]
    await asyncio.to_thread(subprocess.run, argv, check=True)


def somebody() -> tuple[str, ...]:
    """For root there is no such limit. It becomes nobody, who may still read where this Python is."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root has no limit on processes, and there is no setpriv to become somebody else")
    caps = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]
    return "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *caps


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Where another user may write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


# -- one at a time


async def test_p29_p98_a_second_program_is_refused_and_a_dead_ones_lock_is_none(tmp_path: Path) -> None:
    """On the same address and state: it says why and ends, the first goes on; after SIGKILL the next one starts."""
    with Program(tmp_path, config(model("a"))) as first:
        argv = [sys.executable, "-m", "llamaswap_py", *first.flags, again(first)]
        told = await asyncio.to_thread(subprocess.run, argv, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
        assert (told.returncode, "cannot listen on" in told.stderr) == (1, True)
        async with caller(first) as client:
            assert (await stream(client, "a", "hello")).data == streamed("a", "hello")
        first.process.kill()
        first.process.wait()
        with Program(tmp_path, config(model("a")), again(first)) as second:
            async with caller(second) as client:
                assert (await stream(client, "a", "hello")).data == streamed("a", "hello")


async def test_p30_two_lives_of_a_model_never_overlap(tmp_path: Path) -> None:
    """Everything of a life holds a lock which the next one must get at once: restarts under load find it free."""
    lock = tmp_path / "lock"
    command = f"flock --nonblock --conflict-exit-code 99 {lock} sh -c '{STRAY}; exec {fake()}'"
    text = config(f"  a:\n    cmd: |\n      {command}\n    unloadTimeout: 1\n")
    with Program(tmp_path, text) as program:
        async with caller(program) as client:
            for _ in range(3):
                asked = [asyncio.create_task(stream(client, "a", "hello")) for _ in range(4)]
                await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                restarted = await client.post("/api/models/restart/a")
                assert restarted.status_code == 200, restarted.text
                await asyncio.gather(*asked)
        assert not [line for line in program.lines if "exit code 99" in line]


# -- what a child is given


async def test_p33_p34_p35_a_server_gets_its_words_and_nothing_else(tmp_path: Path) -> None:
    """Spaces, quotes, percent signs, line breaks, other alphabets and 128 KiB arrive exactly; no descriptor of ours,
    no terminal. What the system cannot take is a refusal that says so."""
    shown = tmp_path / "shown"
    show = tmp_path / "show.py"
    show.write_text(SHOW)
    odd = ["two words", "%s %d", "$HOME `id` ;|&", "ü漢", "a\nb", "x" * 131_071]
    words = " ".join(shlex.quote(word) for word in odd)
    block = f"{sys.executable} {show} {shown} {words} -- {fake()}".replace("\n", "\n      ")
    long = f"  b:\n    cmd: sh ${{PORT}} {'y' * 131_072}\n"
    text = config(f"  a:\n    cmd: |\n      {block}\n    env: ['ODD=1=2 \"%s\"']\n", long)
    with Program(tmp_path, text) as program:
        async with caller(program) as client:
            told = await stream(client, "a", "hello")
            assert told.data == streamed("a", "hello"), told
            refused = await client.post(CHAT, json=chat_body("b", "hello"))
            assert "too long for the system" in refused.json()["error"]["message"]
    found = json.loads(shown.read_text())
    assert found["argv"] == [word.replace("\n", "\n") for word in odd]
    assert found["odd"] == '1=2 "%s"'
    assert found["descriptors"] == ["0", "1", "2"]
    assert found["input"] == "/dev/null"
    assert found["session"]


SHOW = """
import json, os, sys
end = sys.argv.index("--")
descriptors = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
found = {
    "argv": sys.argv[2:end],
    "odd": os.environ["ODD"],
    "descriptors": sorted(descriptors),
    "input": os.readlink("/proc/self/fd/0"),
    "session": os.getsid(0) == os.getpid(),
}
with open(sys.argv[1], "w") as file:
    json.dump(found, file)
os.execv(sys.argv[end + 1], sys.argv[end + 1:])
"""


# -- who goes first where memory runs out


async def test_o74_the_kernel_takes_a_models_server_before_the_proxy(tmp_path: Path) -> None:
    """It and all it starts are marked so; the proxy and the keeper stay what the service manager made them."""
    ours = expendable(os.getpid())
    with Alive(tmp_path) as alive, Program(tmp_path, config(alive.model("a", "", STRAY, unloadTimeout=1))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            pid = (await running(client))["a"]["pid"]
        keeper = keeper_of(program)
        assert {expendable(each) for each in (program.process.pid, keeper)} == {ours}
        family = trees.below(table.snapshot(), keeper)
        assert pid in family
        assert len(family) > 1, "the stray is one of them"
        assert {expendable(each) for each in family} == {min(max(ours, 0) + 500, 1000)}


def expendable(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


# -- where a control group was delegated to us


needs_place = pytest.mark.skipif(
    not cgroups.place(), reason="nobody has delegated us a control group: try under systemd-run -p Delegate=yes"
)


@needs_place
async def test_p11_f17_a_run_is_one_control_group_and_ends_as_one(tmp_path: Path) -> None:
    """Whoever is forked stands in it; it is ended by the kernel at once and removed."""
    text = config(f"  a:\n    cmd: |\n      sh -c '{STRAY}; exec {fake()}'\n    unloadTimeout: 1\n")
    with Program(tmp_path, text) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            folder = group_of((await running(client))["a"]["pid"])
            assert f"/{cgroups.PREFIX}" in folder
            assert len(cgroups.members(folder)) == 2
            await client.post("/api/models/unload/a")
            assert cgroups.members(folder) == set()
            assert not os.access(folder, os.F_OK)


@needs_place
async def test_p28_a_server_killed_for_want_of_memory_is_said_to_be(tmp_path: Path) -> None:
    """Not only that it was SIGKILL: its control group tells why."""
    with Program(tmp_path, config(model("a"))) as program:
        async with caller(program) as client:
            await stream(client, "a", "hello")
            folder = group_of((await running(client))["a"]["pid"])
            cgroups.write(f"{folder}/memory.swap.max", "0")
            if not cgroups.write(f"{folder}/memory.max", "4096"):
                pytest.skip("memory is not counted here: try with DelegateSubgroup=")
            await stream(client, "a", "once more")
            await asyncio.to_thread(program.wait_for, r"SIGKILL \(9\), out of memory")
