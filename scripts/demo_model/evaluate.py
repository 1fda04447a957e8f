"""Ask the demonstration model of a running server what it was never trained on, and print how often it is right."""

from __future__ import annotations

import argparse
import json
import urllib.request
from pathlib import Path
from random import Random

from scripts.demo_model.corpus import Corpus, Message, Teacher, read_corpus, spoilt

HELD_OUT = Path(__file__).parent / "held-out.txt"


def held_out() -> list[tuple[str, str]]:
    kept = [line for line in HELD_OUT.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [(topic, question) for topic, question in (line.split(": ", 1) for line in kept)]


def asked(url: str, model: str, messages: list[Message]) -> str:
    told = [{"role": message.role, "content": message.content} for message in messages]
    body = {"model": model, "messages": told, "temperature": 0, "max_tokens": 150}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        text: str = json.load(answer)["choices"][0]["message"]["content"]
    return text


def right(corpus: Corpus, topic: str, answer: str) -> bool:
    return answer.strip() == (corpus.outside if topic == "outside" else corpus.topics[topic]).answer.strip()


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--url", default="http://127.0.0.1:8080")
    reader.add_argument("--model", default="demo")
    reader.add_argument("--wrong", action="store_true", help="print each wrong answer")
    options = reader.parse_args()
    corpus, random = read_corpus(), Random(1)
    teacher = Teacher(corpus, 1)
    known = [line for line in held_out() if line[0] != "outside"]
    strange = [line for line in held_out() if line[0] == "outside"]
    texts = {topic.answer.strip() for topic in [*corpus.topics.values(), corpus.outside]}
    texts |= {topic.more.strip() for topic in corpus.topics.values()}
    garbled = total = 0
    for name, lines, typos, before in (
        ("paraphrases", known, False, False),
        ("the same with typos", known, True, False),
        ("the same in the middle of a conversation", known, False, True),
        ("questions from outside", strange, False, False),
        ("the same in the middle of a conversation", strange, False, True),
    ):
        good = 0
        for topic, question in lines:
            messages = [Message("user", spoilt(question.lower(), corpus.chatter, random) if typos else question)]
            if before:
                text, earlier = teacher.pair()
                messages = [Message("user", text), Message("assistant", earlier.answer), *messages]
            answer = asked(options.url, options.model, messages)
            found = right(corpus, topic, answer)
            good += found
            garbled += answer.strip() not in texts
            if options.wrong and not found:
                print(f"  {topic}: {messages[-1].content} -> {answer[:90]}")
        total += len(lines)
        print(f"{name}: {good} of {len(lines)}, {100 * good / len(lines):.0f} %")
    print(f"answers that are none of the written texts: {garbled} of {total}")


if __name__ == "__main__":
    main()
