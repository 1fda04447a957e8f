// What there is to say of a request, in flight or over: how it ended, what its time went by with, how far it is.

import type { Activity, Flying, Standing } from "../../lib/shapes";
import { count, duration, plural } from "../../lib/words";

export type Kind = "ready" | "busy" | "failed" | "idle" | "accent";

export interface Word {
  kind: Kind;
  word: string;
  /** The whole sentence. */
  why: string;
}

const CODES: Record<string, string> = {
  cancelled: "cancelled",
  model_not_found: "no such model",
  queue_full: "queue full",
  queue_timeout: "waited too long",
  concurrency_limit: "too many at once",
  model_start_failed: "did not start",
  model_start_timeout: "did not start in time",
  model_start_backoff: "failed a moment ago",
  model_gave_up: "given up",
  model_unloaded: "unloaded meanwhile",
  model_disabled: "model disabled",
  upstream_failed: "server died",
  shutting_down: "shutting down",
  request_too_large: "too large",
};

/** How it ended. */
export function ending(row: Activity): Word {
  const { closed_by: by, code = "", phase } = row.details ?? {};
  const status = row.resp_status_code;
  const why = row.error_msg ?? "";
  if (code === "cancelled") return { kind: "idle", word: "Cancelled", why: why || "An operator ended it." };
  if (by === "caller") {
    return { kind: "idle", word: "Caller left", why: phase === "nothing sent" ? "The caller left before the answer began." : "The caller left while the answer came." };
  }
  if (by === "upstream") return { kind: "failed", word: "Cut off", why: why || "The model’s server broke off in the middle of its answer." };
  const said = CODES[code] ?? code.replaceAll("_", " ");
  if (by === "us" && status < 400) return { kind: "failed", word: "Ended by us", why: why || said || "We ended it." };
  if (status >= 500 || status === 0) return { kind: "failed", word: `${status || "No answer"}`, why: why || said };
  if (status >= 400) return { kind: "busy", word: `${status}`, why: why || said };
  return { kind: "ready", word: String(status), why };
}

/** The short reason beside a refusal's status. */
export function reason(row: Activity): string {
  const code = row.details?.code ?? "";
  return code && code !== "cancelled" ? (CODES[code] ?? code.replaceAll("_", " ")) : "";
}

export interface Part {
  name: string;
  kind: "queue" | "load" | "prompt" | "answer" | "whole";
  seconds: number;
}

/** What its time went by with, from its arrival to its end. */
export function parts(row: Activity): Part[] {
  const all = row.duration_ms;
  const known = row.details;
  if (!known) return [{ name: "In all", kind: "whole", seconds: all / 1000 }];
  const { queued_ms: queued, loading_ms: loading, first_byte_ms: first } = known;
  const prompt = (first || all) - queued - loading;
  const found: Part[] = [
    { name: "Waiting for a turn", kind: "queue", seconds: queued / 1000 },
    { name: "Loading the model", kind: "load", seconds: loading / 1000 },
    { name: first ? "First token" : "Without an answer", kind: "prompt", seconds: prompt / 1000 },
    { name: "Answering", kind: "answer", seconds: first ? (all - first) / 1000 : 0 },
  ];
  return found.filter((part) => part.seconds >= 0.0005);
}

export function waited(row: Activity): number {
  return ((row.details?.queued_ms ?? 0) + (row.details?.loading_ms ?? 0)) / 1000;
}

/** Null where it is not told. */
export function told(value: number | undefined): number | null {
  return value === undefined || value < 0 ? null : value;
}

/** Of nothing, too, there is nothing to say. */
export function figure(value: number | undefined, digits = 0): string {
  const known = told(value);
  return !known ? "–" : count(known, known >= 100 ? 0 : digits);
}

export function seconds(value: number): string {
  return value > 0 ? duration(value) : "–";
}

// ---- in flight

export interface Phase {
  kind: Kind;
  word: string;
  /** Of a load, where it is known. */
  share: number | null;
}

/** `rank`: how many requests for the same model came before it. */
export function phaseOf(flight: Flying, model: Standing | undefined, rank: number): Phase {
  if (flight.status !== null) {
    return flight.status < 400
      ? { kind: "ready", word: "Answering", share: null }
      : { kind: "failed", word: `Refused (${flight.status})`, share: null };
  }
  if (!model || model.peer) return { kind: "busy", word: "Sent on", share: null };
  if (model.state === "starting") {
    const percent = model.loading?.percent ?? null;
    return { kind: "busy", word: percent === null ? "Loading" : `Loading ${percent} %`, share: percent === null ? null : percent / 100 };
  }
  if (model.state === "ready" && rank < model.seated) return { kind: "accent", word: "First token", share: null };
  return { kind: "idle", word: "Queued", share: null };
}

/** Those of the same model that came before, by request. */
export function ranks(flights: Iterable<Flying>): Map<string, number> {
  const found = new Map<string, number>();
  const counts = new Map<string, number>();
  // Those whose answer has begun have a seat already.
  const ordered = [...flights].sort((a, b) => Number(a.status === null) - Number(b.status === null) || a.began - b.began);
  for (const flight of ordered) {
    const before = counts.get(flight.model) ?? 0;
    found.set(flight.id, before);
    counts.set(flight.model, before + 1);
  }
  return found;
}

/** What is cut off by a cancel is worth a question. */
export function isWorthAsking(flight: Flying): boolean {
  return flight.status !== null && flight.status < 400;
}

/** Of the rows that were asked for; `isMore`: they were not counted to the end. */
export function howMany(total: number, isMore: boolean, isNarrow: boolean): string {
  const [one, many] = isNarrow ? ["that fits", "that fit"] : ["request", "requests"];
  if (!total) return "";
  return isMore ? `${count(total)} or more ${many}` : plural(total, one, many);
}
