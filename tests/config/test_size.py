"""What a further model costs whoever reads the file: at a start with a thousand of them somebody waits for it."""

from __future__ import annotations

from llamaswap_py.config.read import Source, read
from tests.steps import counted

# Functions entered for a model; counted as COST when this was written, and less by later versions of Python.
COST = 108
MOST = 1.15 * COST

MODEL = """\
  model-{0}:
    cmd: llama-server -m /models/{0}.gguf -c 4096 --port ${{PORT}}
    aliases: [m{0}]
    ttl: 60
"""


def entered(models: int) -> int:
    text = "models:\n" + "".join(map(MODEL.format, range(models)))
    with counted() as steps:
        assert len(read([Source("config.yaml", text)], {}).config.names) == 2 * models
    return steps.entered


def test_a_further_model_costs_no_more_than_it_did() -> None:
    entered(1)  # what is done once
    assert 0 < entered(200) - entered(100) <= 100 * MOST


def test_each_of_many_costs_as_much_as_each_of_a_few() -> None:
    entered(1)
    assert entered(400) - entered(200) == 2 * (entered(200) - entered(100))
