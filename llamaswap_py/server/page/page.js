// The page: models with their buttons, recent and running requests, live logs. It asks the server that served it,
// by paths relative to its own, so that it also works behind a proxy that puts it under a sub-path.

const root = new URL("../", document.baseURI.replace(/\/ui(\/.*)?$/, "/ui/"));
const at = (path) => new URL(path, root);
const $ = (id) => document.getElementById(id);

const KEPT_LINES = 5000; // what a browser scrolls without effort
const KEPT_ROWS = 25;
const REFRESH_MS = 400; // many events in a row cost one look

const state = {
  models: [], // of the event stream: every model and its state
  heard: false, // until then nothing is said of models
  running: new Map(), // of /running: what the event stream does not tell
  waiting: {},
  inflight: new Map(),
  rows: [],
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

// ---- talking to the server

let toastTimer;
function complain(text) {
  $("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("toast").textContent = ""), 9000);
}

async function ask(path, options) {
  const response = await fetch(at(path), options);
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error.message;
  } catch {
    // not one of our refusals: its status says what there is to say
  }
  throw new Error(message);
}

async function order(path) {
  try {
    await ask(path, { method: "POST" });
  } catch (error) {
    complain(error.message);
  }
  refresh();
}

// ---- models

function stateOf(model) {
  return state.running.get(model.id)?.state ?? (model.state || "stopped");
}

function seconds(count) {
  if (count >= 3600) return `${+(count / 3600).toFixed(1)} h`;
  return count >= 120 ? `${+(count / 60).toFixed(1)} min` : `${count} s`;
}

function factsOf(model, row, phase) {
  const waiting = state.waiting[model.id] ?? 0;
  return [
    phase,
    row?.seated && `${row.seated} being answered`,
    waiting && `${waiting} waiting`,
    row?.ttl && `unloads after ${seconds(row.ttl)} idle`,
    row?.pid && `pid ${row.pid}`,
    model.name && model.name !== model.id && model.name,
    model.aliases?.length && `also ${model.aliases.join(", ")}`,
    model.description,
    model.unlisted && "unlisted",
    model.peerID && `peer ${model.peerID}`,
  ].filter(Boolean).join(" · ");
}

function buttonsOf(model, phase) {
  if (model.peerID) return [];
  const name = encodeURIComponent(model.id).replaceAll("%2F", "/");
  const button = (text, verb, disabled) =>
    element("button", { class: "small", disabled, onclick: (event) => {
      event.target.disabled = true;
      order(`api/models/${verb}/${name}`);
    } }, text);
  if (phase === "failed" || phase === "gave-up") return [button("Try again", "load"), button("Reset", "reset")];
  if (phase === "stopped") return [button("Load", "load")];
  return [button("Restart", "restart", phase !== "ready"), button("Unload", "unload", phase === "stopping")];
}

function drawModels() {
  const items = state.models.map((model) => {
    const phase = stateOf(model);
    const row = state.running.get(model.id);
    return element("li", { class: `model ${phase}` },
      element("span", { class: "dot", title: phase }),
      element("span", { class: "name" }, model.id),
      element("span", { class: "buttons" }, ...buttonsOf(model, phase)),
      element("span", { class: "facts" }, factsOf(model, row, phase)),
      (phase === "failed" || phase === "gave-up") && row?.why ? element("pre", { class: "why" }, row.why) : "");
  });
  if (!items.length && state.heard) {
    items.push(element("li", { class: "empty" }, "No models are configured yet. Add one to config.yaml; it appears here without a restart."));
  }
  $("model-list").replaceChildren(...items);
  const up = state.models.filter((model) => ["ready", "starting", "stopping"].includes(stateOf(model))).length;
  $("summary").textContent = state.heard ? `${up} of ${state.models.length} models up` : "";
  $("unload-all").disabled = up === 0;
  drawSources();
}

// ---- activity

const figure = (value, digits = 0) => (value > 0 ? value.toLocaleString(undefined, { maximumFractionDigits: digits, minimumFractionDigits: digits }) : "–");
const took = (ms) => (ms >= 10000 ? `${(ms / 1000).toFixed(1)} s` : ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms)} ms`);
const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

function liveRow(entry) {
  return element("tr", {},
    element("td", { class: "text" }, clock(entry.timestamp)),
    element("td", { class: "text wide", title: entry.model }, entry.model),
    element("td", { class: "text hide-mid" }, entry.req_path),
    element("td", {}, element("button", { class: "small cancel", title: "Cancel this request", "aria-label": `Cancel the request to ${entry.model}`, onclick: () => order(`api/inflight/${entry.id}/cancel`) }, "running ×")),
    element("td", { class: "hide-narrow" }, "–"),
    element("td", {}, entry.resp_bytes ? `${figure(entry.resp_bytes / 1024, 1)} KB` : "–"),
    element("td", { class: "hide-mid" }, "–"), element("td", {}, "–"),
    element("td", {}, took(entry.elapsed_ms ?? 0)));
}

function pastRow(row) {
  const tokens = row.tokens ?? {};
  const bad = row.resp_status_code !== 200;
  return element("tr", { class: bad ? "bad" : "", title: row.error_msg ?? "" },
    element("td", { class: "text" }, clock(row.timestamp)),
    element("td", { class: "text wide", title: row.model }, row.model),
    element("td", { class: "text hide-mid" }, row.req_path),
    element("td", { class: "status" }, String(row.resp_status_code || "cut")),
    element("td", { class: "hide-narrow" }, figure(tokens.input_tokens)),
    element("td", {}, figure(tokens.output_tokens)),
    element("td", { class: "hide-mid" }, figure(tokens.prompt_per_second, 1)),
    element("td", {}, figure(tokens.tokens_per_second, 1)),
    element("td", {}, took(row.duration_ms)));
}

function drawRows() {
  const live = [...state.inflight.values()].sort((a, b) => Number(b.id) - Number(a.id));
  $("rows").replaceChildren(...live.map(liveRow), ...state.rows.map(pastRow));
  $("activity-note").textContent = live.length ? `${live.length} running` : state.rows.length ? "" : "nothing yet";
}

// ---- looking again, at most so often

let due;
function refresh() {
  due ??= setTimeout(async () => {
    due = undefined;
    try {
      const [running, activity] = await Promise.all([
        ask("running").then((response) => response.json()),
        ask(`api/metrics/activity?limit=${KEPT_ROWS}`).then((response) => response.json()).catch(() => ({ data: [] })),
      ]);
      state.running = new Map(running.running.map((row) => [row.model, row]));
      state.waiting = running.waiting ?? {};
      state.rows = activity.data;
    } catch {
      return; // the line at the top says that the server is away
    }
    drawModels();
    drawRows();
  }, REFRESH_MS);
}

// ---- logs

const ANSI = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;
const log = { source: "proxy", lines: [], rest: "", pending: [], follow: true, matches: () => true, stop: undefined };

function matcher(text) {
  if (!text) return () => true;
  const regex = /^\/(.+)\/$/.exec(text);
  if (regex) {
    try {
      const wanted = new RegExp(regex[1], "i");
      return (line) => wanted.test(line);
    } catch {
      return () => true; // half typed
    }
  }
  const wanted = text.toLowerCase();
  return (line) => line.toLowerCase().includes(wanted);
}

function addLog(text) {
  const parts = (log.rest + text.replace(ANSI, "").replaceAll("\r\n", "\n")).split("\n");
  log.rest = parts.pop();
  if (!parts.length) return;
  if (!log.pending.length) requestAnimationFrame(drawNewLines);
  log.pending.push(...parts);
}

function drawNewLines() {
  const fresh = log.pending.splice(0).slice(-KEPT_LINES);
  log.lines.push(...fresh);
  const shown = fresh.filter(log.matches);
  if (log.lines.length > KEPT_LINES) log.lines.splice(0, log.lines.length - KEPT_LINES);
  if (!shown.length) return;
  const pane = $("lines");
  pane.append(`${shown.join("\n")}\n`);
  while (pane.childNodes.length > 400) pane.firstChild.remove();
  if (log.follow) pane.scrollTop = pane.scrollHeight;
}

function drawAllLines() {
  const pane = $("lines");
  const shown = log.lines.filter(log.matches);
  pane.replaceChildren(shown.length ? `${shown.join("\n")}\n` : "");
  if (log.follow) pane.scrollTop = pane.scrollHeight;
}

function clearLog() {
  log.lines = [];
  log.rest = "";
  log.pending = [];
  $("lines").replaceChildren();
}

async function readLog(source) {
  log.stop?.abort();
  log.source = source;
  clearLog();
  const stop = (log.stop = new AbortController());
  const name = encodeURIComponent(source).replaceAll("%2F", "/");
  while (!stop.signal.aborted) {
    try {
      const response = await ask(`logs/stream/${name}`, { signal: stop.signal });
      clearLog();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) addLog(piece.value);
    } catch (error) {
      if (stop.signal.aborted) return;
    }
    await new Promise((resume) => setTimeout(resume, 2000));
  }
}

function drawSources() {
  const names = ["proxy", "upstream", ...state.models.filter((model) => !model.peerID).map((model) => model.id)];
  const select = $("source");
  if (names.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
  const label = { proxy: "llamaswap itself", upstream: "all models" };
  select.replaceChildren(...names.map((name) => element("option", { value: name }, label[name] ?? name)));
  select.value = names.includes(log.source) ? log.source : "proxy";
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

function follow(on) {
  log.follow = on;
  press($("follow"), on);
  if (on) $("lines").scrollTop = $("lines").scrollHeight;
}

$("source").addEventListener("change", (event) => readLog(event.target.value));
$("filter").addEventListener("input", (event) => {
  log.matches = matcher(event.target.value.trim());
  drawAllLines();
});
$("follow").addEventListener("click", () => follow(!log.follow));
$("wrap").addEventListener("click", () => press($("wrap"), !$("lines").classList.toggle("long")));
$("clear").addEventListener("click", clearLog);
$("lines").addEventListener("scroll", () => {
  const pane = $("lines");
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
  if (atEnd !== log.follow && pane.scrollHeight > pane.clientHeight) follow(atEnd);
});
$("unload-all").addEventListener("click", () => order("api/models/unload"));

// ---- live events

const hears = {
  modelStatus(models) {
    state.models = models;
    state.heard = true;
    drawModels();
    refresh();
  },
  activity: refresh,
  inflight({ operation, requests, request, id }) {
    if (operation === "snapshot") state.inflight = new Map((requests ?? []).map((entry) => [entry.id, entry]));
    const known = state.inflight.size;
    if (operation === "upsert") state.inflight.set(request.id, request);
    if (operation === "remove") state.inflight.delete(id);
    drawRows();
    if (operation === "snapshot" || state.inflight.size !== known) refresh(); // more bytes are no reason to ask
  },
};

function link(text, kind = "") {
  $("link").textContent = text;
  $("link").className = `link ${kind}`;
}

function listen() {
  const events = new EventSource(at("api/events"));
  events.onopen = () => {
    link("live", "live");
    refresh();
  };
  events.onmessage = ({ data }) => {
    const { type, data: inner } = JSON.parse(data);
    hears[type]?.(JSON.parse(inner));
  };
  events.onerror = () => {
    link("the server is away, trying again …", "lost");
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

drawModels();
drawRows();
drawSources();
readLog("proxy");
listen();
