"""Sums and spreads of requests by model and time, from what is counted for each model and span of time: found
afterwards, some thousand rows at once, and kept beside the rows. Requests pay nothing for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from llamaswap_py.observe.rows import Wanted, conditions
from llamaswap_py.observe.spread import KINDS, Bucket, Figures, even, told
from llamaswap_py.observe.stats import histogram
from llamaswap_py.observe.store import COUNTS, Store
from llamaswap_py.observe.tables import DAY

STEP = 2000  # rows at once: some hundredths of a second, and then those that ended meanwhile are written down
HOUR = 3600
SLOTTED = (DAY, HOUR)  # what can be told by the day
SPANS = (64 * DAY, *SLOTTED)
FEW = 4000  # rows whose speeds are read one by one
FINE = 3 * DAY  # seconds of a range that is told by hours

FIGURES = (
    "model_id, ts_created, input_tokens, output_tokens, cache_tokens, prompt_per_second, tokens_per_second,"
    " duration_ms, COALESCE(first_byte, 0), COALESCE(queued, 0), COALESCE(loading, 0)"
)
JOINED = "activity LEFT JOIN activity_details USING (id)"
UNTIL = "SELECT COALESCE(MAX(id), 0) FROM activity_counted"

decode = msgspec.msgpack.Decoder(Bucket).decode
encode = msgspec.msgpack.encode


class Piece(NamedTuple):
    """Requests of one model that ended in one slot."""

    model: str
    at: int  # unix seconds, when it begins
    bucket: Bucket


class Slot(NamedTuple):
    """What waited in a part of the range. `at`: unix seconds."""

    at: int
    requests: int
    queued: float
    loading: float


# -- what is counted beforehand


def count_on(store: Store, most: int = STEP) -> bool:
    """One step, of so many rows at most; True where there is more to count."""
    if not store.path:
        return False
    until = store.one(UNTIL)
    found = store.database.execute(
        f"SELECT id, {FIGURES} FROM {JOINED} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608
        (until, most),
    ).fetchall()
    if found:
        with store.transaction():
            change(store, (row[1:] for row in found), 1)
            store.database.execute("DELETE FROM activity_counted")
            store.database.execute("INSERT INTO activity_counted VALUES (?)", (found[-1][0],))
    return len(found) == most


def forget(store: Store, ids: Sequence[int]) -> None:
    """These rows are about to be taken away; within a transaction."""
    counted = [number for number in ids if number <= store.one(UNTIL)]
    marks = ", ".join("?" * len(counted))
    found = store.database.execute(f"SELECT {FIGURES} FROM {JOINED} WHERE id IN ({marks})", counted)  # noqa: S608
    change(store, found.fetchall(), -1)


def change(store: Store, rows: Iterable[Sequence[Any]], sign: int) -> None:
    new = pieces_of(rows)
    for span in SPANS:
        changed: dict[tuple[int, str], Bucket] = {}
        for model, at, bucket in new:
            place = at // span, model
            if place not in changed:
                changed[place] = known(store, span, *place)
            changed[place].merge(bucket, sign)
        store.database.executemany(
            "INSERT OR REPLACE INTO activity_spreads VALUES (?, ?, ?, ?)",
            [(span, *place, encode(bucket)) for place, bucket in changed.items()],
        )


def known(store: Store, span: int, slot: int, model: str) -> Bucket:
    where = "span = ? AND slot = ? AND model_id = ?"
    found = store.database.execute(f"SELECT data FROM activity_spreads WHERE {where}", (span, slot, model)).fetchone()  # noqa: S608
    return decode(found[0]) if found else Bucket()


def pieces_of(rows: Iterable[Sequence[Any]]) -> list[Piece]:
    """By the hour."""
    found: dict[tuple[str, int], Bucket] = {}
    for model, created, *values in rows:
        found.setdefault((model, created // HOUR * HOUR), Bucket()).add(Figures(*values))
    return [Piece(model, at, bucket) for (model, at), bucket in found.items()]


# -- what is asked


def gathered(store: Store, wanted: Wanted, spans: Sequence[int] = SPANS) -> list[Piece]:
    """Whole slots as they are counted, the ends of the range by smaller ones, and the rest row by row."""
    if not spans or not store.path:
        return looked_at(store, wanted)
    span, start, end = spans[0], wanted.start, wanted.end
    first = 0 if start is None else -(-start // span)
    after = None if end is None else (end + 1) // span
    if after is not None and first >= after:
        return gathered(store, wanted, spans[1:])
    found = stored(store, wanted.models, span, first, after)
    if start is not None and start < first * span:
        found += gathered(store, Wanted(wanted.models, start, first * span - 1), spans[1:])
    if after is not None and end is not None and after * span <= end:
        found += gathered(store, Wanted(wanted.models, after * span, end), spans[1:])
    return found


def stored(store: Store, models: Sequence[str], span: int, first: int, after: int | None) -> list[Piece]:
    where, values = conditions(Wanted(tuple(models), first, None if after is None else after - 1))
    slots = store.database.execute(
        f"SELECT model_id, slot, data FROM activity_spreads{where.replace('ts_created', 'slot')} AND span = ?",  # noqa: S608
        (*values, span),
    )
    found = [Piece(model, slot * span, decode(data)) for model, slot, data in slots]
    return [piece for piece in found if piece.bucket.requests]


def looked_at(store: Store, wanted: Wanted) -> list[Piece]:
    where, values = conditions(wanted)
    return pieces_of(store.database.execute(f"SELECT {FIGURES} FROM {JOINED}{where}", values))  # noqa: S608


def together(pieces: Iterable[Piece]) -> Bucket:
    found = Bucket()
    for piece in pieces:
        found.merge(piece.bucket)
    return found


def by_model(pieces: Iterable[Piece]) -> dict[str, Bucket]:
    found: dict[str, Bucket] = {}
    for piece in pieces:
        found.setdefault(piece.model, Bucket()).merge(piece.bucket)
    return found


def waits(pieces: Iterable[Piece], span: int) -> list[Slot]:
    """What was waited for in the slots that have requests."""
    found: dict[int, Slot] = {}
    for _, at, bucket in pieces:
        slot = at // span * span
        _, requests, queued, loading = found.get(slot, Slot(slot, 0, 0.0, 0.0))
        found[slot] = Slot(slot, requests + bucket.requests, queued + bucket.queued, loading + bucket.loading)
    return [found[slot] for slot in sorted(found)]


def newest_speeds(store: Store, wanted: Wanted, most: int) -> list[tuple[float, float]]:
    """Of prompts and of answers, the newest first."""
    where, values = conditions(wanted)
    return store.database.execute(
        f"SELECT prompt_per_second, tokens_per_second FROM activity{where}"  # noqa: S608
        " ORDER BY ts_created DESC, id DESC LIMIT ?",
        (*values, most),
    ).fetchall()


def stats(store: Store, wanted: Wanted) -> dict[str, Any]:
    """In llama-swap's shape, of all rows or of some. Few speeds are told exactly, many by their lanes."""
    ranged = wanted.start is not None or wanted.end is not None or len(wanted.models) > 1
    speeds = newest_speeds(store, wanted, FEW + 1)
    whole = together(gathered(store, wanted)) if ranged or len(speeds) > FEW else Bucket()
    counted = (whole.requests, whole.input, whole.output, whole.cached)
    many = len(speeds) > FEW
    return {
        **(dict(zip(COUNTS, counted, strict=True)) if ranged else store.sums(*wanted.models)),
        "prompt_histogram": even(whole.of("prompt_speed")) if many else histogram([prompt for prompt, _ in speeds]),
        "gen_histogram": even(whole.of("gen_speed")) if many else histogram([answer for _, answer in speeds]),
    }


def spreads(store: Store, wanted: Wanted, now: int) -> dict[str, Any]:
    """For pages: of each model and of all together, and what was waited for over time."""
    fine = wanted.start is not None and (wanted.end or now) - wanted.start <= FINE
    span = HOUR if fine else DAY
    pieces = gathered(store, wanted, (HOUR,) if fine else SLOTTED)
    models = by_model(pieces)
    total = together(Piece(model, 0, bucket) for model, bucket in models.items())
    return {
        "total": shown(total),
        "models": {model: shown(models[model]) for model in sorted(models)},
        "slot_seconds": span,
        "waits": [
            {"at": at, "requests": count, "queued_s": round(queued, 3), "loading_s": round(loading, 3)}
            for at, count, queued, loading in waits(pieces, span)
        ],
    }


def shown(bucket: Bucket) -> dict[str, Any]:
    return {
        "requests": bucket.requests,
        "input_tokens": bucket.input,
        "output_tokens": bucket.output,
        "cache_tokens": bucket.cached,
        "queued_s": round(bucket.queued, 3),
        "loading_s": round(bucket.loading, 3),
        **{kind: told(bucket.of(kind)) for kind in KINDS},
    }
