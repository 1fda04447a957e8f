import { expect, test } from "vitest";
import type { Recommendation, Score } from "../../lib/shapes";
import { figureOf, figuresOf, presetFor } from "./advice";
import { lowered, sentence, unknown } from "./health";

const part = (score: number | null, value: number | null, weight: number) => ({ score, value, weight });
const health: Score = {
  status: "warning", timestamp: "", score: 65, alerts: 1, alert_penalty: 20,
  components: { cpu: part(50, 50, 0.1), memory: part(90, 10, 0.1), gpu: part(null, null, 0.15), errors: part(100, 0, 0.3) },
}; // prettier-ignore

test("what is known shares the weight of what is not, the costliest first", () => {
  expect(lowered(health).map(({ name, lost }) => [name, lost])).toEqual([["cpu", 10], ["memory", 2], ["errors", 0]]);
  const [memory] = lowered({ ...health, components: { memory: part(60, 40, 0.2) } }); // little is known
  expect(memory!.lost).toBe(16);
  expect(unknown(health)).toEqual(["GPU: no GPU"]);
});

test("the sentence names alerts first, then what takes most", () => {
  expect(sentence(health)).toBe("Lowered by: 1 alert takes 20 points; 50\u202f% of the processor is in use (−10); 10\u202f% of the memory is in use (−2).");
  expect(sentence({ ...health, alerts: 0, components: { errors: part(100, 0, 1) } })).toBe("Nothing lowers it.");
  expect(sentence({ ...health, score: null })).toBe("Nothing is measured yet.");
});

const advice = (id: string, figures: Record<string, unknown>): Recommendation => ({ id, priority: "high", category: "stability", title: "", recommendation: "", figures });

test("figures of advice have their units", () => {
  expect(figuresOf(advice("x", { used_bytes: 2 ** 30, percent: 91 }))).toBe("in use 1\u202fGB · percent 91\u202f%");
  expect(figureOf("evictions", { one: 3, two: 4 })).toBe("evictions one 3, two 4");
  expect(figureOf("ttl_seconds", 60)).toBe("ttl 1\u202fmin");
  expect(figureOf("suggested", "Q8_0")).toBe("suggested Q8_0");
});

test("a preset is proposed where it may help", () => {
  expect(presetFor(advice("gpu-underused", {}))).toBe("performance");
  expect(presetFor(advice("model-too-large", {}))).toBe("conservative");
  expect(presetFor(advice("ttl-too-short", {}))).toBeUndefined();
});
