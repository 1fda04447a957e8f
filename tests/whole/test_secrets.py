"""A canary for each kind of secret, sought in all that the real program says and writes down in a life."""

from __future__ import annotations

import base64
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.library.pull.pulls import REPO, hub_of
from tests.whole.asking import caller
from tests.whole.program import Program, config, fake
from tests.whole.talk import CHAT, chat_body

KEY, OTHER, WRONG = "canary-key-of-callers", "canary-second-key", "canary-wrong-key"
COMMAND, VARIABLE, PLAIN = "canary-in-a-command", "canary-in-a-variable", "canary-of-a-plain-variable"
PEER, HUB, ENVIRONMENT = "canary-of-a-peer", "hf_canaryOfTheHub", "canary-of-our-environment"
QUERY, COOKIE, STOP = "canary-in-a-query", "canary-in-a-cookie", "canary-in-a-cmdstop"
MISTAKEN, PRIVATE, OPEN = "canary-in-a-mistake", "canary-in-a-private-prompt", "not private"
CANARIES: tuple[str, ...] = (KEY, OTHER, WRONG)
CANARIES += (COMMAND, VARIABLE, PLAIN, PEER, HUB, ENVIRONMENT, QUERY, COOKIE, STOP, MISTAKEN)
HOOK, SIGNING, MAIL = "canary-of-a-webhook", "canary-of-signing", "canary-of-the-mail"
CANARIES += (PRIVATE, HOOK, SIGNING, MAIL)

# Where one may be, and why nowhere else.
ALLOWED = {
    # Who may see the configuration sees what a variable is whose name does not say that it is secret.
    "GET /api/config": {PLAIN},
    # What runs the cmdStop of a model that we could not stop any more; its folder is for our user alone.
    "state": {VARIABLE, PLAIN, STOP},
    # As they were written, so that each can come back; for our user alone too.
    "earlier configurations": {KEY, OTHER, COMMAND, VARIABLE, PLAIN, PEER, STOP, MISTAKEN, HOOK, SIGNING, MAIL},
    # What a model's server prints itself is its own business, and who may read it is an operator.
    "GET /logs/stream/upstream?no-follow": {COMMAND, VARIABLE},
    "GET /logs/stream/dies?no-follow": {COMMAND, VARIABLE},
    "the log file llamaswap-dies.log": {COMMAND, VARIABLE},
    "GET /api/events of upstream": {COMMAND, VARIABLE},
}

CONFIG = """
apiKeys: [{key}, {other}, "${{env.SECRET_KEY}}"]
logLevel: debug
logToStdout: proxy
captureBuffer: 5
store: {{path: {folder}/requests.db{captures}}}
logs: {{directory: {folder}/logs}}
peers:
  far: {{proxy: "http://127.0.0.1:9/", models: [remote], apiKey: {peer}}}
alerts:
  every: 1
  error_rate: {{warning: 1, critical: 0, duration: 0}}
  receivers:
    hook: {{kind: webhook, url: "http://127.0.0.1:9/{hook}", secret: {signing}}}
    odd: {{kind: webhook, url: "http://me:{hook}-a@127.0.0.1:9/{hook}-b?{hook}-c"}}
    mail: {{kind: email, host: 127.0.0.1, port: 9, username: me, password: {mail}, to: [a@b.c]}}
"""

MODELS = f"""
  a:
    cmd: {fake()} --api-key {COMMAND}
    env: [HF_TOKEN={VARIABLE}, COLOUR={PLAIN}]
    cmdStop: sh -c "kill ${{PID}}" sh --token {STOP}
    filters: {{setParams: {{api_key: none}}}}
  dies:
    cmd: sh -c 'echo argument --api-key {COMMAND} is wrong, $HF_TOKEN too; exit 3' ${{PORT}} --api-key {COMMAND}
    env: [HF_TOKEN={VARIABLE}]
  hidden:
    cmd: {fake()}
    private: true
  missing:
    cmd: /nowhere/llama-server --api-key {COMMAND} --port ${{PORT}}
    env: [HF_TOKEN={VARIABLE}]
"""

# Each is a mistake within what is secret, or right beside it.
MISTAKES = (
    f"apiKeys: {MISTAKEN}",
    f"apiKeys: [{{a: {MISTAKEN}}}]",
    f"apiKeys: ['{MISTAKEN} {MISTAKEN}']",
    f"apiKeys: [{MISTAKEN}",
    f"models: {{a: {{cmd: x, env: HF_TOKEN={MISTAKEN}}}}}",
    f"models: {{a: {{cmd: x, env: [{MISTAKEN}]}}}}",
    f"models: {{a: {{cmd: x, env: ['={MISTAKEN}']}}}}",
    f'models: {{a: {{cmd: "x --api-key \'{MISTAKEN}"}}}}',
    f"peers: {{p: {{proxy: 'http://u:{MISTAKEN}@h:x', models: [a], apiKey: k}}}}",
    f"peers: {{p: {{proxy: 'http://h', models: [a], apiKey: [{MISTAKEN}]}}}}",
    f"peers: {{p: {{proxy: 'http://h', models: [a], apikey: {MISTAKEN}}}}}",
    f"apikeys: [{MISTAKEN}]",
    f"alerts: {{receivers: {{a: {{kind: webhook, url: 'ftp://{MISTAKEN}'}}}}}}",
    f"alerts: {{receivers: {{a: {{kind: webhook, url: 'http://h', headers: [{MISTAKEN}]}}}}}}",
    f"alerts: {{receivers: {{a: {{kind: webhook, url: 'http://h', secret: [{MISTAKEN}]}}}}}}",
    f"alerts: {{receivers: {{a: {{kind: email, host: h, to: [b@c], from: b@c, password: {{a: {MISTAKEN}}}}}}}}}",
    f"{MISTAKEN}",
    "startPort: ${env.SECRET_KEY}",
    "models: {a: {cmd: x, ttl: '${env.SECRET_KEY}'}}",
    "logLevel: ${env.SECRET_KEY}",
    "fairBetween: ${env.SECRET_KEY}",
)


def looked_at(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """Everything that can be read of it, by the name of the place."""
    paths = [
        *("/running", "/v1/models", "/health", "/metrics", "/logs", "/upstream", "/ui", "/props?model=a"),
        *("/api/config", "/api/performance", "/api/hardware", "/api/version", "/api/profiles", "/api/pulls"),
        *("/api/metrics/activity", "/api/metrics/stats", "/api/alerts", "/api/benchmarks", "/api/processes"),
        *("/health?full", "/api/status", "/api/info", "/api/config/files", "/api/config/candidates"),
        *(
            f"/api/metrics/{name}"
            for name in ("dashboard", "gpu", "apis", "optimization", "activity.csv", "activity.json")
        ),
        *("/api/dashboard/weight-distribution", "/api/progress/nobody", f"/api/progress/x?key={QUERY}"),
        *(f"/logs/stream/{name}?no-follow" for name in ("", "proxy", "upstream", "a", "dies", "missing")),
    ]
    for path in paths:
        answer = client.get(path)
        yield f"GET {path}", f"{answer.headers}{answer.text}"
    for row in range(1, 30):
        yield f"GET /api/captures/{row}", client.get(f"/api/captures/{row}").text
    with client.stream("GET", "/api/events") as events:
        for line in events.iter_lines():
            yield "GET /api/events" + " of upstream" * ('\\"upstream\\"' in line), line
            if '"config"' in line:
                return


def asked(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """A life: what goes well, and what does not."""
    for model in ("a", "remote", "far/remote", "dies", "missing", "unknown"):
        for stream in (False, True):
            body = chat_body(model, "hello") | {"stream": stream}
            answer = client.post(f"{CHAT}?api_key={QUERY}", json=body, headers={"Cookie": f"session={COOKIE}"})
            yield f"POST {CHAT} of {model}", f"{answer.status_code}{answer.headers}{answer.text}"
    for headers in ({"Authorization": f"Bearer {WRONG}"}, {"x-api-key": WRONG}, {"Authorization": f"Basic {WRONG}"}):
        answer = client.post(CHAT, json=chat_body("a", "hello"), headers=headers)
        assert answer.status_code == 401
        yield "a wrong key", f"{answer.headers}{answer.text}"
    for path in (f"/upstream/missing/x?token={QUERY}", f"/nowhere?key={QUERY}", f"/upstream/dies/x?key={QUERY}"):
        answer = client.get(path)
        yield f"GET {path.partition('?')[0]}", f"{answer.headers}{answer.text}"
    for text in MISTAKES:
        for way in ("check", "diff"):
            yield f"POST /api/config/{way} {text}", client.post(f"/api/config/{way}", content=text).text


def confide(client: httpx.Client) -> None:
    """Who asks gets the answer, and nobody else may."""
    for model, headers in (("a", {"X-Private": "true"}), ("hidden", {})):
        for prompt in (PRIVATE, f"[fake status=500] {PRIVATE}"):
            for stream in (False, True):
                client.post(CHAT, json=chat_body(model, prompt) | {"stream": stream}, headers=headers)
    client.post(CHAT, json=chat_body("a", OPEN))


def captures(client: httpx.Client) -> str:
    """What is kept of requests and answers, in plain."""
    kept = [client.get(f"/api/captures/{row}").json() for row in range(1, 60)]
    bodies = [each.get(part) or "" for each in kept for part in ("req_body", "resp_body")]
    return "".join(base64.b64decode(body).decode("utf-8", "replace") for body in bodies)


def written(folder: Path, program: Program) -> Iterator[tuple[str, str]]:
    for line in program.lines:
        yield "standard output", line
    for path in sorted((folder / "logs").iterdir()):
        yield f"the log file {path.name}", path.read_text("utf-8", "replace")
    for path in sorted((folder / "state").rglob("*")):
        if path.is_file():
            kept = path.parent.name == "configurations"
            assert not kept or stat.S_IMODE(path.stat().st_mode) == 0o600, path
            yield "earlier configurations" if kept else "state", path.read_text("utf-8", "replace")
    for path in sorted(folder.glob("requests.db*")):
        yield f"the store {path.name}", path.read_bytes().decode("latin-1")


def found(places: Iterator[tuple[str, str]]) -> list[str]:
    return [
        f"{place}: {canary}: …{text[max(text.find(canary) - 150, 0) :][:300]}…"
        for place, text in places
        for canary in CANARIES
        if canary in text and canary not in ALLOWED.get(place, set())
    ]


def test_no_secret_is_where_it_should_not_be(tmp_path: Path) -> None:
    told = {"hook": HOOK, "signing": SIGNING, "mail": MAIL}
    text = CONFIG.format(key=KEY, other=OTHER, peer=PEER, **told, folder=tmp_path, captures="")
    text += config(MODELS.lstrip("\n"))
    wrong: list[str] = []
    with hub_of(1000) as hub:
        env = {"SECRET_KEY": ENVIRONMENT, "HF_TOKEN": HUB, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
        with Program(tmp_path, text, env=env) as program, caller(program, KEY) as client:
            wrong += found(asked(client))
            confide(client)
            kept = captures(client)
            assert OPEN in kept, "what it looks for is there to be found"
            wrong += found(iter([("a capture", kept)]))
            for name in ("hook", "odd", "mail"):
                wrong += found(iter([(f"a test of {name}", client.post(f"/api/alerts/receivers/{name}/test").text)]))
                program.wait_for(f"the receiver {name} could not be told")
            for repo in (REPO, "nobody/nothing"):
                answer = client.post("/api/pulls", json={"repo": repo}, headers={"Accept": "text/event-stream"})
                wrong += found(iter([("POST /api/pulls", answer.text)]))
            wrong += found(looked_at(client))
            for mistake in MISTAKES:
                program.edit(mistake)
            wrong += found(looked_at(client))
            wrong += found(written(tmp_path, program))
    wrong += found(written(tmp_path, program))
    assert COMMAND in (tmp_path / "logs" / "llamaswap-dies.log").read_text(), "what it looks for is there to be found"
    assert not wrong, "\n".join(wrong)
