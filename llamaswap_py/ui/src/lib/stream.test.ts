import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Stream } from "./stream.svelte";

/** The browser's, which there is none of here: it says what the test lets it say. */
class Source {
  static all: Source[] = [];
  static readonly CLOSED = 2;
  readyState = 1;
  onopen = () => {};
  onmessage: (event: { data: string }) => void = () => {};
  onerror = () => {};
  readonly ears = new Map<string, (event: { data: string }) => void>();
  constructor(readonly url: URL) {
    Source.all.push(this);
  }
  addEventListener(name: string, hear: (event: { data: string }) => void) {
    this.ears.set(name, hear);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}
const now = () => Source.all.at(-1)!;
const beat = { data: '{"type":"beat","data":"{\\"now\\":1}"}' };
let stream: Stream;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.all = [];
  stream = new Stream();
  stream.open();
});
afterEach(() => {
  stream.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("it is live once it is open, and asks for no logs", () => {
  expect(stream.connection).toBe("connecting");
  now().onopen();
  expect(stream.connection).toBe("live");
  expect(now().url.pathname).toBe("/api/events");
  expect(now().url.searchParams.get("without")).toContain("logData");
});

test("events of their own names are heard", () => {
  const heard: number[] = [];
  stream.on("beat", ({ now }) => heard.push(now));
  now().ears.get("beat")!(beat);
  expect(heard).toEqual([1]);
});

test("silence makes it stale, a word live again", () => {
  now().onopen();
  vi.advanceTimersByTime(25_000);
  expect(stream.connection).toBe("live");
  vi.advanceTimersByTime(10_000);
  expect(stream.connection).toBe("stale");
  now().onmessage(beat);
  expect(stream.connection).toBe("live");
});

test("long silence is taken for a dead connection: another one is made", () => {
  now().onopen();
  vi.advanceTimersByTime(60_000);
  expect(Source.all.length).toBe(2);
  expect(Source.all[0]!.readyState).toBe(Source.CLOSED);
  now().onopen();
  expect(stream.connection).toBe("live");
});

test("where the browser tries again by itself, it is left to it; where it has given up, a new one is made", () => {
  now().onopen();
  now().onerror();
  expect([stream.connection, Source.all.length]).toEqual(["reconnecting", 1]);
  now().readyState = Source.CLOSED;
  now().onerror();
  vi.advanceTimersByTime(3_000);
  expect(Source.all.length).toBe(2);
});

test("a closed stream stays closed", () => {
  now().onopen();
  stream.close();
  vi.advanceTimersByTime(120_000);
  expect(Source.all.length).toBe(1);
});
