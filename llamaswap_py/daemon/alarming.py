"""The alerts of the running program, wired to what is measured, counted and announced."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from llamaswap_py.daemon.observing import Observing
from llamaswap_py.observe.alerts.alarms import Alarms
from llamaswap_py.observe.alerts.courier import Means
from llamaswap_py.observe.alerts.sensors import Sensors, Swapping
from llamaswap_py.runtime.feed import AlertChanged
from llamaswap_py.runtime.tasks import Tasks
from llamaswap_py.runtime.threads import in_thread
from llamaswap_py.server.happenings import Happenings


def alarms(observing: Observing, happenings: Happenings, tasks: Tasks, places: Callable[[], list[Path]]) -> Alarms:
    """`places`: the folders that we, or what we start, write to."""

    def swapping() -> Swapping:
        return Swapping(happenings.swapping_seconds(), happenings.restarts())

    sensors = Sensors(observing.performance, observing.answers, swapping, places)
    sensors.cards = observing.gpus.fresh
    means = Means(tasks.start, in_thread, socket.gethostname(), asyncio.get_running_loop().time)
    return Alarms(observing.config.alerts, sensors, means, lambda row: observing.feed.publish(AlertChanged(row)))
