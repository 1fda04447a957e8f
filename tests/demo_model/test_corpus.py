"""What the demonstration model is taught: it can be read, and no test's question is in it."""

from __future__ import annotations

import re
from random import Random

import pytest

from scripts.demo_model.corpus import FORMS, Corpus, Message, Teacher, question, read_corpus
from scripts.demo_model.evaluate import held_out
from scripts.demo_model.template import ASKED, LAST, plain, rendered
from tests.demo_model.questions import FIXED, PARAPHRASES


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus()


X = ("(?P<X>.+?)", "(?P<X>.+)")


def as_expression(pattern: str, thing: str = "") -> str:
    """A pattern of the corpus as a regular expression, `thing` where its X is."""
    spaced = re.sub(r" +", r"\\s*", pattern)
    return re.sub(r"\bX\b", lambda _: thing, spaced)


class Taught:
    """Whether a question can be drawn from the corpus: some template fits it, and what stands at X is listed."""

    def __init__(self, corpus: Corpus) -> None:
        self.topics = (*corpus.topics.values(), corpus.outside)
        self.things = {form: self.listed(form) for form in FORMS}
        # The shortest X and the longest: what may be left out behind it ("please") may be part of it or not.
        self.templates = {
            form: [re.compile(as_expression(one, every)) for one in corpus.templates.get(form, ["X"]) for every in X]
            for form in FORMS
        }

    def listed(self, form: str) -> re.Pattern[str]:
        return re.compile(
            "|".join(as_expression(one) for topic in self.topics for one in topic.questions.get(form, ()))
        )

    def __contains__(self, text: str) -> bool:
        return any(self.fits(text, form) for form in FORMS)

    def fits(self, text: str, form: str) -> bool:
        found = (template.fullmatch(text) for template in self.templates[form])
        return any(match and self.things[form].fullmatch(match["X"].strip()) for match in found)


def test_what_a_model_was_not_trained_on_is_not_in_the_corpus(corpus: Corpus) -> None:
    texts = [text for _, text in held_out()] + list(PARAPHRASES)
    taught = Taught(corpus)
    assert [text for text in texts if plain(text, ASKED) in taught] == []


def test_what_is_in_the_corpus_is_found_there(corpus: Corpus) -> None:
    taught, random = Taught(corpus), Random(3)
    asked = [topic for topic in taught.topics if topic.questions]
    texts = [question(random.choice(asked), corpus.templates, random) for _ in range(300)]
    assert [text for text in texts if text not in taught] == []


def test_every_topic_has_an_answer_of_its_own_and_questions(corpus: Corpus) -> None:
    assert len({topic.answer for topic in corpus.topics.values()}) == len(corpus.topics) >= 100
    assert [name for name, topic in corpus.topics.items() if not topic.questions] == ["more-of-nothing"]
    assert all(set(topic.questions) <= set(FORMS) for topic in corpus.topics.values())


def test_held_out_questions_name_topics_and_no_two_are_the_same(corpus: Corpus) -> None:
    assert {topic for topic, _ in held_out()} <= {*corpus.topics, corpus.outside.name}
    assert len({text for _, text in held_out()}) == len(held_out()) >= 180
    assert (len(FIXED), len(PARAPHRASES)) == (20, 20)


def test_the_same_seed_teaches_the_same(corpus: Corpus) -> None:
    one, two = Teacher(corpus, 7), Teacher(corpus, 7)
    assert [one.sample() for _ in range(50)] == [two.sample() for _ in range(50)]


def test_a_conversation_never_grows_longer_than_what_was_taught() -> None:
    """The last exchange and the question at hand, each cut; the system message stays."""
    long = [Message("user", "Why? " * 900), Message("assistant", "So. " * 900)] * 40 + [Message("user", "WHY?!")]
    text = rendered([Message("system", "Be Brief."), *long])
    assert text.count("<|") == 1 + LAST + 1 + 1
    assert text.startswith("<|system|>be brief<|user|>why why why")
    assert text.endswith("So.<|end|><|user|>why<|answer|>")
    assert len(text) < 400
