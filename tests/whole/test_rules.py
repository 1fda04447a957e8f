"""What the configuration changes in a request, byte for byte, through the running program."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conformance.scene import answer, mirror, pipe, release, seen
from tests.whole.asking import caller, openai_shape, running
from tests.whole.mirrored import asking, post
from tests.whole.program import LONG, Program, config
from tests.whole.talk import CHAT

FILTERS = (
    "{stripParams: 'top_k, options.deep', setParams: {temperature: 0.5, chat.kind: x},"
    " setParamsByID: {tuned:fast: {temperature: 1, speed: 9007199254740993}}}"
)
TEXT = "groups: {all: {swap: false, members: [plain, told, tuned]}}\n" + config(
    mirror("plain", aliases="[simple]"),
    mirror("told", useModelName="org/Real-7B", aliases="[nick]"),
    mirror("tuned", filters=FILTERS),
)
# Numbers that JSON libraries spell anew, keys in an order of their own, blanks, an escape, and a key said twice.
ODD = b'{ "z": 1.50e2 ,\n"seed":12345678901234567890123,"a":"\\u00e9", "b" : [ 1,2.0 ] ,"a":0.10, %s"end":1e400 }\n'


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("rules"), TEXT, watch=False) as started:
        yield started


@pytest.fixture
def ask(program: Program) -> Iterator[httpx.Client]:
    with caller(program) as client:
        yield client


@pytest.mark.fault("F46")
@pytest.mark.parametrize("name", ["plain", "simple"])
def test_a_body_without_rules_arrives_byte_for_byte(ask: httpx.Client, name: str) -> None:
    """Also under an alias."""
    body = ODD % b'"model": "%s" ,' % name.encode()
    arrived = post(ask, body)
    assert (arrived.name, arrived.body) == ("plain", body)


@pytest.mark.parametrize("name", ["told", "nick"])
def test_the_servers_own_name_takes_the_place_of_the_asked_one_and_of_nothing_else(
    ask: httpx.Client, name: str
) -> None:
    body = ODD % b'"model": "%s" ,' % name.encode()
    arrived = post(ask, body)
    assert arrived.body == ODD % b'"model": "org/Real-7B" ,'
    assert arrived.header("content-length") == str(len(arrived.body))


def test_what_is_stripped_and_set_leaves_every_other_key_its_bytes(ask: httpx.Client) -> None:
    """Keys below others are reached by dotted paths; what is set stands where it stood, or at the end."""
    body = ODD % b'"temperature" : 2.0, "top_k":3, "options":{"deep":1, "x":1.0}, "model":"tuned",'
    wanted = ODD % b'"temperature" : 0.5, "options":{ "x":1.0}, "model":"tuned",'
    assert post(ask, body).body == wanted.replace(b" }\n", b' ,"chat":{"kind":"x"}}\n')


def test_a_name_made_by_set_params_by_id_sets_more(ask: httpx.Client) -> None:
    """It is a name of the model, wins over what is set for all, and is not said anew."""
    arrived = post(ask, b'{"model":"tuned:fast"}')
    assert arrived.name == "tuned"
    assert arrived.body == b'{"model":"tuned:fast","chat":{"kind":"x"},"temperature":1,"speed":9007199254740993}'


def test_a_form_and_a_query_get_the_name_and_no_filter(ask: httpx.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    told = seen(ask.post("/v1/images/generations", content=b"prompt=a+b&model=nick&n=1", headers=form))
    assert told.body == b"prompt=a+b&model=org%2FReal-7B&n=1"
    tuned = seen(ask.post("/v1/images/generations", content=b"model=tuned&top_k=1", headers=form))
    assert tuned.body == b"model=tuned&top_k=1"
    assert seen(ask.get("/props?model=nick&x=%2F")).target == "/props?model=org%2FReal-7B&x=%2F"


def test_filters_do_not_touch_what_goes_by_the_servers_own_path(ask: httpx.Client) -> None:
    body = b'{"model":"tuned","top_k":1}'
    assert post(ask, body, "/upstream/tuned/v1/chat/completions").body == body


def test_a_stream_that_a_rule_takes_back_is_not_begun_by_news_of_the_loading(tmp_path: Path) -> None:
    """The answer will be JSON, so nothing is sent in front of it."""
    rules = "{setParams: {stream: false}}"
    text = config(mirror("quiet", filters=rules, sendLoadingState="true"))
    with Program(tmp_path, text, watch=False) as program, caller(program) as client:
        assert post(client, b'{"model":"quiet","stream":true}').body == b'{"model":"quiet","stream":false}'


def test_nobody_is_called_so(ask: httpx.Client) -> None:
    response = ask.post("/v1/chat/completions", json={"model": "plane"})
    assert response.status_code == 404
    assert openai_shape(response) == ("model_not_found", "there is no model 'plane' here; did you mean plain?")
    assert asking(ask, "plain").name == "plain"


@pytest.mark.fault("F39")
def test_seats_let_the_next_caller_wait_and_turn_nobody_away(tmp_path: Path) -> None:
    """Beside `concurrencyLimit`, which does."""
    gate = pipe(tmp_path, "gate")
    text = config(mirror("narrow", seats=1, concurrencyLimit=2))
    with Program(tmp_path, text, watch=False) as program, ThreadPoolExecutor() as pool, caller(program) as client:
        client.post("/api/models/load/narrow").raise_for_status()
        body = {"model": "narrow"}
        held = pool.submit(client.post, CHAT, json=body, headers=answer(hold=str(gate), body="first"))
        while running(program)["narrow"]["seated"] != 1:
            pass
        next_one = pool.submit(asking, client, "narrow")
        while running(program)["narrow"]["waiting"] != 1:
            pass
        assert client.post(CHAT, json=body).status_code == 429
        release(gate)
        assert held.result(LONG).text == "first"
        assert next_one.result(LONG).name == "narrow"
