"""Train the demonstration model and write its file: see docs/demo-model.md."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer

from scripts.demo_model.corpus import OUTSIDE, Teacher, read_corpus
from scripts.demo_model.modelfile import write
from scripts.demo_model.network import Shape, fresh, step
from scripts.demo_model.template import END, rendered
from scripts.demo_model.vocabulary import learned

SEED = 5
ROWS, LENGTH = 8, 128  # about a thousand tokens a step: small steps beat large ones here
RATE, DECAY, WARM_UP = 2.5e-3, 0.1, 100
FIRST = 6  # tokens of an answer that decide which one it is; most samples end there, above all once the texts are known
WHOLE, WHOLE_LATER, KNOWN = 0.35, 0.15, 20_000  # share of whole answers, and after how many samples it falls
TARGET = Path(__file__).resolve().parents[2] / "llamaswap_py" / "demo" / "demo.gguf"

Tokens = tuple[list[int], int]
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class Lesson:
    """Conversations as tokens, one after the other."""

    def __init__(self, teacher: Teacher, tokenizer: Tokenizer) -> None:
        self.teacher = teacher
        self.tokenizer = tokenizer
        self.rare = {topic.more for topic in teacher.corpus.topics.values()}  # seldom asked for
        self.given = 0

    def next(self) -> Tokens:
        """A conversation's tokens, and how many of them, at the end, are the answer's."""
        sample = self.teacher.sample()
        self.given += 1
        asked = self.tokenizer.encode(rendered(sample.messages)).ids
        said = self.tokenizer.encode(sample.answer + END).ids
        share = WHOLE if self.given < KNOWN or sample.answer in self.rare else WHOLE_LATER
        if self.teacher.random.random() > (share / 3 if sample.topic == OUTSIDE else share):
            said = said[:FIRST]
        return (asked + said)[:LENGTH], len(said)


def row(waiting: list[Tokens], fresh_one: Callable[[], Tokens]) -> Iterator[Tokens]:
    """As many conversations as fit into one row, the oldest of a dozen that fits first."""
    room = LENGTH
    while True:
        while len(waiting) < 12:
            waiting.append(fresh_one())
        fitting = next((one for one in waiting if len(one[0]) <= room), None)
        if fitting is None:
            return
        waiting.remove(fitting)
        room -= len(fitting[0])
        yield fitting


def batches(lesson: Lesson) -> Iterator[Batch]:
    """Conversations packed into rows, each with a number of its own by which the attention is kept apart."""
    waiting: list[Tokens] = []
    while True:
        tokens, segments = np.zeros((2, ROWS, LENGTH), np.int32)
        counts = np.zeros((ROWS, LENGTH), np.float32)
        for number in range(ROWS):
            end = 0
            for segment, (ids, said) in enumerate(row(waiting, lesson.next), 1):
                place, end = end, end + len(ids)
                tokens[number, place:end] = ids
                segments[number, place:end] = segment
                counts[number, end - said : end] = 1
        yield tokens, segments, counts


def rate_at(step_number: int, steps: int) -> float:
    if step_number < WARM_UP:
        return RATE * (step_number + 1) / WARM_UP
    return RATE * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step_number - WARM_UP) / (steps - WARM_UP))))


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--steps", type=int, default=4000, help="of about a thousand tokens each")
    reader.add_argument("--output", type=Path, default=TARGET)
    options = reader.parse_args()
    corpus, shape = read_corpus(), Shape(layers=3)
    tokenizer = learned(corpus, shape.vocabulary, SEED)
    weights = fresh(shape, SEED)
    moments = jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights)
    drawn = batches(Lesson(Teacher(corpus, SEED), tokenizer))
    began, recent = time.monotonic(), []
    for number in range(options.steps):
        rate = rate_at(number, options.steps)
        weights, moments, value = step(weights, moments, next(drawn), (rate, float(number + 1), DECAY), shape)
        recent.append(float(value))
        if number % 100 == 99:
            print(f"step {number + 1}: loss {np.mean(recent):.4f}, {time.monotonic() - began:.0f} s", flush=True)
            recent.clear()
        if number % 500 == 499:
            write(options.output, shape, weights, tokenizer)
    write(options.output, shape, weights, tokenizer)


if __name__ == "__main__":
    main()
