import { describe, expect, test } from "vitest";
import type { Activity, Flying, Standing } from "../../lib/shapes";
import { ending, figure, howMany, isWorthAsking, parts, phaseOf, ranks, reason } from "./rows";

const row = (status: number, details: object = {}, more: object = {}) =>
  ({ resp_status_code: status, duration_ms: 2000, details: { queued_ms: 0, loading_ms: 0, first_byte_ms: 0, ...details }, ...more }) as Activity;

test.each([
  [row(200, { phase: "complete" }), "ready", "200", ""],
  [row(404, { code: "model_not_found" }, { error_msg: "no model x" }), "busy", "404", "no such model"],
  [row(502, { closed_by: "us", code: "model_start_failed" }), "failed", "502", "did not start"],
  [row(200, { closed_by: "caller", phase: "body" }), "idle", "Caller left", ""],
  [row(200, { closed_by: "upstream", phase: "body" }), "failed", "Cut off", ""],
  [row(499, { closed_by: "us", code: "cancelled" }), "idle", "Cancelled", ""],
  [row(200, { closed_by: "us", code: "model_unloaded" }), "failed", "Ended by us", "unloaded meanwhile"],
  [row(0), "failed", "No answer", ""],
  [row(418, { code: "some_new_code" }), "busy", "418", "some new code"],
])("how it ended (%#)", (it, kind, word, why) => {
  expect([ending(it).kind, ending(it).word, reason(it)]).toEqual([kind, word, why]);
});

test("how many there are", () => {
  expect([howMany(0, false, false), howMany(1, false, false), howMany(1000, true, false)]).toEqual(["", "1 request", "1,000 or more requests"]);
  expect([howMany(1, false, true), howMany(7, false, true)]).toEqual(["1 that fits", "7 that fit"]);
});

describe("where the time went", () => {
  const named = (it: Activity) => parts(it).map((part) => [part.kind, part.seconds]);
  test("a swap, a first token, an answer", () =>
    expect(named(row(200, { queued_ms: 100, loading_ms: 900, first_byte_ms: 1250 }))).toEqual([
      ["queue", 0.1],
      ["load", 0.9],
      ["prompt", 0.25],
      ["answer", 0.75],
    ]));
  test("no answer came", () =>
    expect(named(row(504, { queued_ms: 1500 }))).toEqual([
      ["queue", 1.5],
      ["prompt", 0.5],
    ]));
  test("nothing more is known", () => expect(named({ duration_ms: 40 } as Activity)).toEqual([["whole", 0.04]]));
});

test("figures that were not told are not shown as numbers", () => {
  expect([figure(-1), figure(0), figure(undefined), figure(1234), figure(12.34, 1), figure(123.4, 1)]).toEqual(["–", "–", "–", "1,234", "12.3", "123"]);
});

describe("how far a request is", () => {
  const flight = { id: "1", model: "m", status: null, began: 1 } as Flying;
  const model = (more: object) => ({ id: "m", peer: "", state: "ready", seated: 1, loading: null, ...more }) as Standing;
  test.each([
    [{ ...flight, status: 200 }, model({}), 0, "Answering"],
    [{ ...flight, status: 500 }, model({}), 0, "Refused (500)"],
    [flight, model({}), 0, "First token"],
    [flight, model({}), 1, "Queued"],
    [flight, model({ state: "stopped", seated: 0 }), 0, "Queued"],
    [flight, model({ state: "starting", loading: { percent: 40 } }), 0, "Loading 40 %"],
    [flight, model({ state: "starting", loading: { percent: null } }), 0, "Loading"],
    [flight, model({ peer: "far" }), 0, "Sent on"],
    [flight, undefined, 0, "Sent on"],
  ])("(%#)", (it, standing, rank, word) => expect(phaseOf(it, standing, rank).word).toBe(word));
});

test("who is answered already has its seat, the others are in the order in which they came", () => {
  const flights = [
    { id: "a", model: "m", status: null, began: 1 },
    { id: "b", model: "m", status: 200, began: 2 },
    { id: "c", model: "m", status: null, began: 0 },
    { id: "d", model: "other", status: null, began: 3 },
  ] as Flying[];
  expect(Object.fromEntries(ranks(flights))).toEqual({ b: 0, c: 1, a: 2, d: 0 });
});

test("only an answer that has begun is worth a question", () => {
  expect([200, null, 503].map((status) => isWorthAsking({ status } as Flying))).toEqual([true, false, false]);
});
