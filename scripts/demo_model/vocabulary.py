"""The tokenizer: byte-level BPE with GPT-2's split, learned from the corpus itself."""

from __future__ import annotations

from random import Random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.demo_model.corpus import Corpus, question
from scripts.demo_model.template import END, NONE, OPENING, plain

CONTROL = (NONE, END, *OPENING.values())  # their numbers begin with 0


def learned(corpus: Corpus, size: int, seed: int) -> Tokenizer:
    """From every answer, and as many questions as make both about equally long."""
    random = Random(seed)
    topics = [*corpus.topics.values(), corpus.outside]
    texts = [f"{topic.answer}\n{topic.more}" for topic in topics for _ in range(4)]
    asked = [topic for topic in topics if topic.questions]
    texts += [plain(question(topic, corpus.templates, random), 160) for topic in asked for _ in range(25)]
    texts += [question(corpus.outside, corpus.templates, random) for _ in range(2000)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(CONTROL), initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
