"""A hostile page: served under a name of its own on this machine, it tries in a person's browser all that pages can
do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Everything that a script can send to, or show of, another site; what came back, where anything did.
TRIES = """async ([url, get, post]) => {
  const told = {}, all = [];
  const soon = promise => Promise.race([promise, new Promise(done => setTimeout(() => done(null), 2000))]);
  const attempt = (way, promise) => all.push(soon(promise).then(said => (told[way] = said)));
  const read = async (path, options) => {
    try {
      const answer = await fetch(url + path, {credentials: "include", ...options});
      return answer.type === "opaque" ? null : await answer.text();
    } catch { return null; }
  };
  const shown = (tag, path, said) => new Promise(done => {
    const element = document.createElement(tag);
    element.onload = () => done(said(element));
    element.onerror = () => done(null);
    element.src = url + path;
    document.body.append(element);
  });
  for (const path of get) {
    attempt("fetch " + path, read(path));
    attempt("blind fetch " + path, read(path, {mode: "no-cors"}));
    attempt("image " + path, shown("img", path, image => image.naturalWidth));
    attempt("script " + path, shown("script", path, () => "run"));
    attempt("frame " + path, shown("iframe", path, frame => {
      try { return frame.contentDocument?.body?.innerText || null; } catch { return null; }
    }));
  }
  for (const [path, body] of post) {
    attempt("post " + path, read(path, {method: "POST", body}));
    attempt("typed post " + path, read(path, {method: "POST", body, headers: {"Content-Type": "application/json"}}));
    attempt("blind post " + path, read(path, {method: "POST", mode: "no-cors", body}));
    navigator.sendBeacon(url + path, body);
    attempt("put " + path, read(path, {method: "PUT", body}));
    attempt("delete " + path, read(path, {method: "DELETE"}));
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.name = "into" + document.querySelectorAll("iframe").length;
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: url + path, target: frame.name, enctype: "text/plain"});
    const field = form.appendChild(document.createElement("input"));
    [field.name, field.value] = [body.slice(0, 1), body.slice(1)];
    document.body.append(form);
    const sent = new Promise(done => (frame.onload = () => done(null)));
    form.submit();
    attempt("form " + path, sent);
  }
  for (const path of ["/api/events", "/logs/stream/proxy"]) {
    const events = new EventSource(url + path, {withCredentials: true});
    attempt("events " + path, new Promise(done => {
      events.onmessage = ({data}) => done(data);
      events.onopen = () => done("open");
      events.onerror = () => done(null);
    }));
  }
  for (const path of ["/upstream/quick/ws", "/api/events"]) {
    const socket = new WebSocket(url.replace("http", "ws") + path);
    attempt("socket " + path, new Promise(done => {
      socket.onopen = () => done("open");
      socket.onmessage = ({data}) => done(data);
      socket.onerror = () => done(null);
    }));
  }
  const opened = open(url + "/ui/");
  await Promise.all(all);
  await soon(new Promise(() => {}));
  told["window"] = (() => { try { return opened?.document?.title ?? null; } catch { return null; } })();
  opened?.close();
  return Object.entries(told).filter(([, said]) => said).map(([way, said]) => `${way}: ${String(said).slice(0, 200)}`);
}"""


class Served(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a stranger</title><link rel=icon href=data:,><body>")

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


@contextmanager
def stranger() -> Iterator[int]:
    """Its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
