"""How fast each model has answered lately: the median of its last answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median

from llamaswap_py.observe.rows import Row
from llamaswap_py.observe.store import Store

ANSWERS = 15
LOOKED_AT = 200  # rows of one model: its last answers may all be embeddings, which have no speed


class Speeds:
    def __init__(self, past: Mapping[str, Iterable[float]] | None = None) -> None:
        """`past`: the newest last."""
        self.kept = {model: deque(speeds, ANSWERS) for model, speeds in (past or {}).items()}

    def see(self, rows: Sequence[Row]) -> set[str]:
        """Whose speed may differ now."""
        fast = [row for row in rows if row.usage.speed > 0]
        for row in fast:
            self.kept.setdefault(row.model, deque(maxlen=ANSWERS)).append(row.usage.speed)
        return {row.model for row in fast}

    def of(self, model: str) -> float | None:
        speeds = self.kept.get(model)
        return round(median(speeds), 2) if speeds else None


def past(store: Store, models: Collection[str]) -> dict[str, list[float]]:
    """In the recorder's thread."""
    question = "SELECT tokens_per_second FROM activity WHERE model_id = ? ORDER BY ts_created DESC, id DESC LIMIT ?"
    found = {model: store.database.execute(question, (model, LOOKED_AT)).fetchall() for model in models}
    fast = {model: [speed for (speed,) in speeds if speed > 0] for model, speeds in found.items()}
    return {model: speeds[:ANSWERS][::-1] for model, speeds in fast.items() if speeds}
