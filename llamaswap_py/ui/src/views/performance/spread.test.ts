import { expect, test } from "vitest";
import type { Spread } from "../../lib/shapes";
import { bars, evenly, place } from "./spread";

const spread = (counts: number[]): Spread => ({
  count: counts.reduce((sum, count) => sum + count, 0),
  p50: 0, p90: 0, p95: 0, p99: 0,
  edges: [...counts, 0].map((_, index) => 2 ** index),
  counts,
});

test("bars are few, hold everything, and touch each other", () => {
  const found = bars(spread(Array.from({ length: 50 }, (_, index) => index)), 24);
  expect(found.length).toBeLessThanOrEqual(24);
  expect(found.reduce((sum, bar) => sum + bar.count, 0)).toBe((49 * 50) / 2);
  expect([found[0]!.from, found.at(-1)!.to]).toEqual([1, 2 ** 50]);
  found.slice(1).forEach((bar, index) => expect(bar.from).toBe(found[index]!.to));
  expect(Math.max(...found.map((bar) => bar.share))).toBe(1);
});

test("a value stands between the bars that it lies between", () => {
  const found = bars(spread([1, 1, 1, 1]));
  expect([1, 1.5, 4, 16, 0].map((value) => place(found, value))).toEqual([0, 0.125, 0.5, 1, 0]);
});

test("time goes by evenly, and the newest of a long one are shown", () => {
  const slot = (at: number) => ({ at, requests: 1, queued_s: 1, loading_s: 2 });
  expect(evenly([slot(10), slot(30)], 10, 5, 42).map(({ at, requests }) => [at, requests])).toEqual([[0, 0], [10, 1], [20, 0], [30, 1], [40, 0]]);
  expect(evenly([slot(0), slot(1000)], 10, 0, 1009, 3).map(({ at }) => at)).toEqual([980, 990, 1000]);
});
