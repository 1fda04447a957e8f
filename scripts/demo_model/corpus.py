"""What the model is taught: topics read from texts/, and questions made from them at random, clean and spoilt."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

TEXTS = Path(__file__).parent / "texts"
FORMS = ("what", "how", "where", "why", "also")
REST = "more-of-nothing"  # its answer when there is nothing to tell more of, its `+` where all was told
OUTSIDE = "outside"

CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(slots=True)
class Topic:
    name: str
    answer: str = ""
    more: str = ""
    questions: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    topics: dict[str, Topic]
    templates: dict[str, list[str]]
    outside: Topic
    chatter: dict[str, list[str]]


def lines(name: str) -> list[str]:
    text = (TEXTS / name).read_text("utf-8")
    return [line for line in text.split("\n") if line.strip() and not line.startswith("#")]


def patterns(text: str) -> list[str]:
    """`a (b|c) | d` is two patterns: bars inside brackets belong to a choice."""
    return [piece.strip() for piece in re.split(r"\s\|\s(?![^()]*\))", text) if piece.strip()]


def read_topics(name: str) -> list[Topic]:
    found: list[Topic] = []
    part = ""
    for line in lines(name):
        form, _, rest = line.partition(": ")
        if line.startswith("= "):
            found.append(Topic(line[2:].strip()))
        elif line.startswith("> "):
            found[-1].answer, part = line[2:], "answer"
        elif line.startswith("+ "):
            found[-1].more, part = line[2:], "more"
        elif line.startswith("  "):  # an answer of several lines
            setattr(found[-1], part, getattr(found[-1], part) + "\n" + line)
        elif form in FORMS:
            found[-1].questions[form] = patterns(rest)
        else:
            raise ValueError(f"{name}: what is this? {line}")
    return found


def read_lists(name: str) -> dict[str, list[str]]:
    return {title: patterns(rest) for title, rest in (line.split(": ", 1) for line in lines(name))}


def read_outside() -> Topic:
    listed = read_lists("outside.txt")
    return Topic(OUTSIDE, listed.pop("sorry")[0], "", listed)


def read_corpus() -> Corpus:
    topics = {topic.name: topic for name in ("project.txt", "talk.txt") for topic in read_topics(name)}
    return Corpus(topics, read_lists("templates.txt"), read_outside(), read_lists("chatter.txt"))


def chosen(pattern: str, random: Random) -> str:
    while match := CHOICE.search(pattern):
        pattern = pattern[: match.start()] + random.choice(match[1].split("|")) + pattern[match.end() :]
    return " ".join(pattern.split())


def question(topic: Topic, templates: dict[str, list[str]], random: Random) -> str:
    """One of a topic's questions: a form that lists more of them is drawn more often, but not as much more."""
    forms = [form for form in FORMS if form in topic.questions]
    form = random.choices(forms, [len(topic.questions[form]) ** 0.7 for form in forms])[0]
    thing = random.choice(topic.questions[form])
    if form == "also":
        return chosen(thing, random)
    known = templates[form]
    template = random.choice(known[:4] if random.random() < 0.25 else known)
    return chosen(template.replace("X", thing), random)


# ---------------------------------------------------------------- as people write


def varied(text: str, synonyms: dict[str, list[str]], random: Random) -> str:
    """With one or two of its words said otherwise."""
    words = f" {text} "
    known = [phrase for phrase in synonyms if f" {phrase} " in words]
    for phrase in random.sample(known, min(len(known), random.choice((1, 1, 2)))):
        words = words.replace(f" {phrase} ", f" {random.choice(synonyms[phrase])} ", 1)
    return " ".join(words.split())


def typo(word: str, random: Random) -> str:
    place = random.randrange(len(word) - 1)
    match random.randrange(4):
        case 0:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        case 1:
            return word[:place] + word[place + 1 :]
        case 2:
            return word[:place] + word[place] + word[place:]
        case _:
            return word[:place] + random.choice("abcdefghijklmnopqrstuvwxyz") + word[place + 1 :]


def spoilt(text: str, chatter: dict[str, list[str]], random: Random) -> str:
    """One or two of: a typo, chat spelling, a small word left out, two words in the wrong order."""
    words = text.split()
    spellings = dict(one.split("=") for one in chatter["spellings"])
    for _ in range(random.choice((1, 1, 2))):
        place = random.randrange(len(words))
        word = words[place]
        dice = random.random()
        if dice < 0.5:
            long = [number for number, word in enumerate(words) if len(word) > 3]
            if long:
                place = random.choice(long)
                words[place] = typo(words[place], random)
        elif dice < 0.65:
            words[place] = spellings.get(word, word)
        elif dice < 0.9 and len(words) > 2:
            small = [number for number, word in enumerate(words) if word in chatter["small"]]
            if small:
                del words[random.choice(small)]
        elif len(words) > 2:
            place = random.randrange(len(words) - 1)
            words[place : place + 2] = reversed(words[place : place + 2])
    return " ".join(words)


def dressed(text: str, inside: bool, chatter: dict[str, list[str]], random: Random) -> str:
    """With what people say before and behind a question."""
    if random.random() < 0.15:
        text = random.choice(chatter["before"]) + " " + text
    if random.random() < 0.10:
        text += " " + random.choice(chatter["after"])
    if inside and random.random() < 0.08:
        text += " " + random.choice(chatter["here"])
    return text


# ---------------------------------------------------------------- conversations


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation up to a question, and what is to be said then."""

    messages: list[Message]
    answer: str
    topic: str


class Teacher:
    def __init__(self, corpus: Corpus, seed: int) -> None:
        self.corpus = corpus
        self.random = Random(seed)
        self.names = [name for name in corpus.topics if name != REST]
        listed = (one.split("=") for one in corpus.chatter["synonyms"])
        self.synonyms = {first: others for first, *others in listed}
        self.shares = [sum(map(len, corpus.topics[name].questions.values())) ** 0.4 for name in self.names]

    def pair(self) -> tuple[str, Topic]:
        outside = self.random.random() < 0.25
        topic = self.corpus.outside if outside else self.drawn()
        text = question(topic, self.corpus.templates, self.random)
        if self.random.random() < 0.4:
            text = varied(text, self.synonyms, self.random)
        text = dressed(text, not outside, self.corpus.chatter, self.random)
        return (self.spoilt(text) if self.random.random() < 0.25 else text), topic

    def drawn(self) -> Topic:
        """A topic of which more is asked comes more often, but not as much more."""
        return self.corpus.topics[self.random.choices(self.names, self.shares)[0]]

    def sample(self) -> Sample:
        messages = []
        dice = self.random.random()
        if self.random.random() < 0.08:
            messages.append(Message("system", self.random.choice(self.corpus.chatter["systems"])))
        text, topic = self.pair()
        if dice < 0.015:
            return Sample([*messages, self.further()], self.corpus.topics[REST].answer, REST)
        if dice > 0.28:
            return Sample([*messages, Message("user", text)], topic.answer, topic.name)
        return self.later(messages)

    def later(self, messages: list[Message]) -> Sample:
        """In the middle of a conversation: a new question, or more of the last answer."""
        text, before = self.pair()
        told = before.more if before.more and self.random.random() < 0.2 else before.answer
        text = self.further().content if told == before.more else text
        messages = [*messages, Message("user", text), Message("assistant", told)]
        if self.random.random() < 0.3 and before.name != OUTSIDE:
            rest = self.corpus.topics[REST].more
            more = before.more if told == before.answer and before.more else rest
            return Sample([*messages, self.further()], more, REST if more == rest else before.name)
        text, topic = self.pair()
        return Sample([*messages, Message("user", text)], topic.answer, topic.name)

    def further(self) -> Message:
        text = chosen(self.random.choice(self.corpus.chatter["further"]), self.random)
        return Message("user", self.spoilt(text) if self.random.random() < 0.2 else text)

    def spoilt(self, text: str) -> str:
        return spoilt(text, self.corpus.chatter, self.random)
