import { expect, test } from "vitest";
import type { BenchmarkCell, BenchmarkResult } from "../../lib/shapes";
import { compared, difference, orderOf, said } from "./bench";

const cell = (wanted: number, callers: number, speed: number, answers = 1) =>
  ({ wanted, callers, answers, speed, prompt_speed: 2 * speed, together: speed * callers, first: 1 / speed }) as BenchmarkCell;
const result = (cells: BenchmarkCell[], cold: number | null = null): BenchmarkResult => ({
  name: "a", place: "", about: "", size: 0, cold, warm: null, memory: null, gpu_memory: null, cells, trouble: "",
}); // prettier-ignore

test("what both were asked stands side by side, what one was asked stands alone, in order", () => {
  const charts = compared(result([cell(512, 1, 10), cell(128, 1, 20)]), result([cell(128, 1, 30), cell(128, 4, 5)]));
  expect(charts[0]!.pairs).toEqual([
    { label: "prompt 128, 1 caller", values: [20, 30] },
    { label: "prompt 128, 4 callers", values: [null, 5] },
    { label: "prompt 512, 1 caller", values: [10, null] },
  ]);
  expect(charts.map(({ title }) => title)).not.toContain("Load");
});

test("what failed altogether has no figure, and one alone is a chart too", () => {
  expect(compared(result([cell(1, 1, 10, 0)]), undefined)).toEqual([]);
  const alone = compared(result([cell(1, 1, 10)], 2), undefined);
  expect(alone.at(-1)).toEqual({ title: "Load", unit: "s", more: false, pairs: [{ label: "cold", values: [2, null] }] });
});

test("the second is as much faster as it is, whichever way the figure counts", () => {
  expect(difference([10, 12], true)).toBe("20\u202f% faster");
  expect(difference([12, 9], true)).toBe("25\u202f% slower");
  expect(difference([2, 1], false)).toBe("100\u202f% faster");
  expect(difference([10, 10.04], true)).toBe("the same");
  expect(difference([null, 1], true)).toBe("");
});

test("figures have their unit", () => {
  expect([said(null, "s"), said(1.5, "s"), said(3, "tok/s")]).toEqual(["–", "1.5\u202fs", "3.0\u202ftok/s"]);
});

test("a quick one leaves the models where they are", () => {
  expect(orderOf(["a"], true)).toMatchObject({ models: ["a"], loads: false });
  expect(orderOf(["a"], false)).toEqual({ models: ["a"] });
});
