"""The page is made from its sources behind the serving proxy, where a checkout has none or an older one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import structlog

from llamaswap_py.server.pages import Pages
from llamaswap_py.ui import building

COMMAND = (sys.executable, "-m", building.__name__, "--beside")
SWITCH = "LLAMASWAP_BUILD_PAGE"  # of the environment: `no` leaves the page as it is
OFF = f"The page is not built, and {SWITCH} says that it shall not be. `python -m {building.__name__}` builds it."

log = structlog.get_logger("page")


async def keep(pages: Pages, environ: Mapping[str, str]) -> None:
    """A process of its own, which ends with us: to put it together takes a processor for seconds."""
    if environ.get(SWITCH, "").lower() in ("no", "off", "false", "0"):
        pages.trouble = OFF
        return
    if await asyncio.to_thread(building.is_current):
        return
    log.info("building the page behind the running server: the first time, or after a change of its sources")
    began = asyncio.get_running_loop().time()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        said = [line.decode("utf-8", "replace").strip() async for line in process.stdout]
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        pages.trouble = f"The page could not be built. {said[-1] if said else f'It ended with {status}.'}"
        log.warning(pages.trouble)
    else:
        log.info(f"the page is built, in {asyncio.get_running_loop().time() - began:.0f} s")
