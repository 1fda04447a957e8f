"""What is secret is not shown, wherever it stands."""

from __future__ import annotations

import pytest

from llamaswap_py.config.mask import MASK
from llamaswap_py.config.read import Source, read
from llamaswap_py.config.secrets import masked, secrets_in_address, secrets_of
from llamaswap_py.config.show import document
from llamaswap_py.config.values import Config, Model, Receiver
from llamaswap_py.config.write import dump
from llamaswap_py.errors import ConfigError
from tests.config.reading import config

CONFIG = config("""
apiKeys: [sk-hunter2, k]
models:
  m:
    cmd: serve --port ${PORT} --api-key sk-other --hf-token=hf_abcdef --name k --api-key
    env: [HF_TOKEN=hf_123456, NAME=value, MY_PASSWORD=pw]
    description: ask with sk-hunter2 or k
peers:
  p: {proxy: "http://p?key=sk-peer-7", models: [x], apiKey: sk-peer-7}
alerts:
  receivers:
    hook: {kind: webhook, url: "https://h/hook-1", secret: signing-2, headers: {A: header-3}}
    phone: {kind: ntfy, url: "https://h/hook-1", token: token-4}
    mail: {kind: email, host: h, to: [a@b], username: me@b, password: word-5}
""")


def test_keys_passwords_and_tokens_are_found() -> None:
    wanted = {"sk-hunter2", "k", "sk-other", "hf_abcdef", "hf_123456", "pw", "sk-peer-7"}
    wanted |= {"https://h/hook-1", "signing-2", "header-3", "token-4", "word-5"}
    assert secrets_of(CONFIG) == wanted


def test_nothing_secret_is_left_and_the_rest_is() -> None:
    shown = dump(masked(document(CONFIG), secrets_of(CONFIG)))
    assert not any(secret in shown for secret in ("signing-2", "header-3", "token-4", "word-5"))
    assert not any(secret in shown for secret in ("hunter2", "sk-other", "hf_abcdef", "hf_123456", "sk-peer", "hook-1"))
    assert f"serve --port ${{PORT}} --api-key {MASK} --hf-token={MASK} --name k --api-key" in shown
    assert f'"MY_PASSWORD={MASK}"' in shown
    assert '"NAME=value"' in shown
    assert f"ask with {MASK} or k" in shown  # a short one is masked only where it stands alone


def test_parts_of_an_address_are_secret_where_it_may_be_quoted() -> None:
    told = Receiver("a", "webhook", url="https://me:pass@h/hooks/T0?key=x")
    assert secrets_in_address(told) == {"me", "pass", "/hooks/T0", "key=x"}
    assert secrets_in_address(Receiver("a", "webhook", url="http://[x/")) == set()


def test_secrets_are_found_within_words_and_assignments() -> None:
    command = "sh -c 'serve --api-key sk-inner' && docker run -e HF_TOKEN=hf_outer -e COLOUR=red"
    assert secrets_of(Config({"a": Model("a", command)})) == {"sk-inner", "hf_outer"}


def test_a_mistake_does_not_quote_what_a_variable_holds_that_is_named_for_a_secret() -> None:
    text = "startPort: ${env.MY_KEY}\nlogLevel: ${env.LEVEL}"
    reading = read([Source("c.yaml", text.replace("startPort", "x-port"))], {"MY_KEY": "sk-hunter2", "LEVEL": "loud"})
    assert "loud" in reading.warnings[0].message
    with pytest.raises(ConfigError) as caught:
        read([Source("c.yaml", text)], {"MY_KEY": "sk-hunter2", "LEVEL": "loud"})
    (mistake,) = caught.value.mistakes
    assert mistake.message == f"this must be a number, and it is `{MASK}`"


def test_a_masked_value_keeps_its_place() -> None:
    assert masked({"a": ["x", 1, None], "x": {"b": "y"}}, {"x"}) == {"a": [MASK, 1, None], MASK: {"b": "y"}}


def test_a_model_without_a_command_has_none() -> None:
    """As one has that is disabled."""
    assert secrets_of(Config({"a": Model("a", "")})) == set()
