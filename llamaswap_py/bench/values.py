"""What is measured and what came of it, as values that are written down. Seconds, bytes, tokens a second."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True):
    prompts: tuple[int, ...] = (128, 512, 2048)  # tokens, about
    callers: tuple[int, ...] = (1, 4)  # at once
    tokens: int = 128  # of each answer
    repeats: int = 3
    loads: bool = True  # whether loading is measured too

    @property
    def cells(self) -> list[tuple[int, int]]:
        return [(prompt, callers) for prompt in self.prompts for callers in self.callers]


class Sample(msgspec.Struct, frozen=True):
    """One answer."""

    prompt: int = 0
    output: int = 0
    first: float = 0.0  # until its first token
    total: float = 0.0
    began: float = 0.0  # by one clock for all
    gaps: tuple[float, ...] = ()  # between its tokens
    engine_prompt: float | None = None  # tokens a second, as the server itself says it
    engine_speed: float | None = None
    error: str = ""

    @property
    def speed(self) -> float:
        """The first token is what the others are measured from."""
        span = sum(self.gaps)
        return (self.output - 1) / span if span > 0 and self.output > 1 else 0.0


class Cell(msgspec.Struct, frozen=True):
    """All answers of one length of prompt and one number of callers."""

    wanted: int  # tokens of the prompt, as planned
    callers: int
    answers: int = 0
    prompt: float = 0.0  # as they were, on average
    output: float = 0.0
    first: float = 0.0  # median
    first_95: float = 0.0  # of a hundred, the ninety-fifth
    prompt_speed: float = 0.0
    prompt_by_engine: bool = False  # else it is the prompt over the time until the first token
    speed: float = 0.0  # of one caller, median
    engine_speed: float | None = None  # the same, as the server says it
    together: float = 0.0  # of all callers
    gap: float = 0.0  # median
    gap_95: float = 0.0
    gap_most: float = 0.0
    failed: int = 0
    why: str = ""  # the first failure


class Result(msgspec.Struct, frozen=True):
    """One model, or one quantisation of it."""

    name: str
    place: str  # a file, or an address
    about: str = ""  # quantisation, parameters
    size: int = 0
    cold: float | None = None
    warm: float | None = None
    memory: int | None = None  # the most that its processes held
    gpu_memory: int | None = None
    cells: tuple[Cell, ...] = ()
    trouble: str = ""  # why there is no more


class Session(msgspec.Struct, frozen=True):
    """One run of `llamaswap bench`."""

    id: str
    began: float  # unix seconds
    machine: str
    plan: Plan
    results: tuple[Result, ...] = msgspec.field(default=())
