"""News of the loading for a caller who waits for a stream (`sendLoadingState`): it begins before the model does.

What is said when is here; how it is said in the caller's API is the dialect's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from msgspec.structs import replace

from llamaswap_py.dialects.dialect import DOT, Say
from llamaswap_py.errors import Refusal
from llamaswap_py.runtime.conductor import Lease
from llamaswap_py.runtime.estimate import Progress
from llamaswap_py.runtime.relay import Closer, Outcome, Phase, ordered
from llamaswap_py.runtime.standings import progress_of
from llamaswap_py.server.relayed import RequestSink
from llamaswap_py.wire.chunks import chunk
from llamaswap_py.wire.continued import begun_framing
from llamaswap_py.wire.headers import Framing, Head, UpstreamRequest, answer_head

TICK_SECONDS = 0.75  # llama-swap's
REMARK_PAUSE = (5.0, 9.0)  # seconds between two remarks, by chance; llama-swap's
BAR = "━" * 5  # llama-swap's page finds the block by its two bars

AGAIN = "The model's server ended before it answered. Once more: "

CHANCE = random.SystemRandom()

REMARKS = (
    "Waking the weights gently",
    "Asking the disk nicely",
    "Reading the manual, for once",
    "Counting tensors, losing count",
    "Moving furniture inside the GPU",
    "Convincing bits to line up",
    "Warming up the attention heads",
    "Looking for the tokenizer's glasses",
    "Untangling layers",
    "Quantizing expectations",
    "Feeding the fans",
    "Checking under every embedding",
    "Rolling out the context window",
    "Teaching old vectors new directions",
    "Pouring gigabytes, slowly",
    "Polishing the softmax",
    "Letting the gradients rest",
    "Making room for one more thought",
    "Packing everything into VRAM, again",
    "Good answers start slowly",
)

# An answer of our own, as a model's server would begin it.
BEGINNING = Head((1, 1), 200, b"OK", (b"Content-Type: text/event-stream", b"Cache-Control: no-cache"))


class Script:
    """The words, in llama-swap's order. The clock and chance are handed in."""

    def __init__(self, model: str, now: float, chance: random.Random) -> None:
        self.model = model
        self.began = now
        self.chance = chance
        self.position = 0
        self.remark_at = now  # the first moment brings the first remark
        self.remarks: list[str] = []

    def opening(self) -> tuple[str, ...]:
        return (f"{BAR}\n", f"llama-swap loading model: {self.model}\n")

    def moment(self, position: int, now: float, progress: Progress | None = None) -> str:
        """`position` in the queue, from 1; 0 while the model starts. An estimate stands in for a remark."""
        moved, self.position = position not in (0, self.position), position
        if moved:
            return f"\nQueue position: #{position} "
        if now < self.remark_at:
            return DOT
        self.remark_at = now + self.chance.uniform(*REMARK_PAUSE)
        if progress is not None and progress.fraction is not None:
            left = f", about {progress.left:.0f} s left" if progress.left else ""
            return f"\nLoading: {100 * progress.fraction:.0f} %{left} "
        if not self.remarks:
            self.remarks = self.chance.sample(REMARKS, len(REMARKS))
        return f"\n{self.remarks.pop()} "

    def closing(self, now: float) -> tuple[str, ...]:
        return ("\n", f"Done! ({now - self.began:.2f}s)\n", f"{BAR}\n", " \n")


class Loading:
    """One waiting caller. Begins when the lease is found waiting for a model that is not ready, else never."""

    def __init__(self, sink: RequestSink, lease: Lease, say: Say) -> None:
        self.sink = sink
        self.lease = lease
        self.loop = lease.conductor.loop
        self.say = say
        self.script: Script | None = None  # once begun
        self.framed = Framing.EMPTY  # until it begins
        self.began = self.loop.time()
        # After the lease has asked; whoever was admitted or refused at once does not wait then.
        self.timer: asyncio.Handle | None = self.loop.call_soon(self.begin)

    def begin(self) -> None:
        lease = self.lease
        if lease.position is None or lease.ready:
            return
        self.script = Script(lease.asked.model, self.began, CHANCE)
        self.framed = begun_framing(self.sink.caller)
        head = answer_head(BEGINNING, self.sink.caller, self.framed)
        self.write(head + self.told(*self.script.opening()))
        self.timer = self.loop.call_later(TICK_SECONDS, self.moment)

    def moment(self) -> None:
        assert self.script is not None
        self.timer = self.loop.call_later(TICK_SECONDS, self.moment)
        lease = self.lease
        position = lease.position  # None for a moment, where the run it was given to has just been lost
        if position is not None and not self.sink.full:
            progress = progress_of(lease.asked.model, lease.conductor.runs.values()) if position == 0 else None
            self.write(self.told(self.script.moment(position, self.loop.time(), progress)))

    def end(self, upstream: UpstreamRequest) -> UpstreamRequest:
        """The wait is over: the last words at once, and the request as it must be put for an answer to follow them."""
        self.stop()
        if self.script is None:
            return upstream
        self.write(self.told(*self.script.closing(self.loop.time())))
        kept = [field for field in upstream.headers if field[0].lower() != "accept-encoding"]
        return replace(upstream, headers=[*kept, ("Accept-Encoding", "identity")], repeated=False)

    def again(self, lease: Lease) -> None:
        """The server died before it answered: the wait goes on, for the next one."""
        self.lease = lease
        if self.script is not None:
            self.write(self.told(AGAIN))
            self.timer = self.loop.call_later(TICK_SECONDS, self.moment)
        else:
            self.timer = self.loop.call_soon(self.begin)

    def broken(self, error: BaseException, event: Callable[[Refusal], bytes]) -> Outcome | None:
        """The wait ended badly. If the stream was begun it is broken off here; None: whoever waits may raise."""
        self.stop()
        if self.script is None:
            return None
        refusal = ordered(error) if isinstance(error, asyncio.CancelledError) else error
        if not isinstance(refusal, Refusal):
            return None
        self.write(self.framed_event(event(refusal)))
        if self.framed is Framing.CLOSE:
            self.sink.abort(reset=True)
        return Outcome(
            status=BEGINNING.status,
            bytes_sent=self.sink.begun,
            phase=Phase.BODY,
            closed_by=Closer.US,
            refusal=refusal.afresh(),
            complete=False,
            keep_alive=False,
            began=self.began,
            first_byte=None,
            ended=self.loop.time(),
            tries=0,
        )

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def told(self, *texts: str) -> bytes:
        return b"".join(self.framed_event(self.say(text)) for text in texts)

    def framed_event(self, event: bytes) -> bytes:
        return chunk(event) if self.framed is Framing.CHUNKED else event

    def write(self, data: bytes) -> None:
        self.sink.begun += len(data)
        self.sink.write(data)
