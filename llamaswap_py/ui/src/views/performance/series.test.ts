import { expect, test } from "vitest";
import type { GpuStat, GpuUse, Sample, Use } from "../../lib/shapes";
import { cards, HOST, memory, moments, processor, PROXY, type HostStat } from "./series";

const use = (cpu: number | null, taken: number): Use => ({ cpu, memory: taken, processes: 1 });
const card = (more: object): GpuUse =>
  ({ index: 0, name: "Card", utilization_percent: 50, memory_used: 500, memory_total: 1000, temperature: null, power_draw: null, stale: false, ...more });
const sample = (at: number, cpu: number | null, models: Record<string, Use>, gpus: GpuUse[] = []): Sample =>
  ({ at, cores: 4, cpu, memory: 500, memory_total: 1000, proxy: use(40, 20), keeper: use(0, 1), models, gpus });
const host = (at: number): HostStat => ({ timestamp: new Date(at * 1000).toISOString(), cpu_util_per_core: [20, 40], mem_used_mb: 1 });

test("where the page was not there the server's looks stand, and nothing is told twice", () => {
  const samples = [sample(105, 10, {}), sample(107, 12, {}), sample(130, 14, {})];
  const found = moments([host(90), host(100), host(104), host(110), host(115), host(128), host(140)], samples, 95);
  expect(found.map(({ at, cpu }) => [at, cpu])).toEqual([[100, 30], [105, 10], [107, 12], [115, 30], [130, 14], [140, 30]]);
});

test("processes are shares of all cores; what is not known is no zero", () => {
  const found = moments([host(100)], [sample(105, 10, { a: use(200, 7) }), sample(107, 12, { b: use(null, 9) })], 0);
  const { times, lines } = processor(found, 4);
  expect(times).toEqual([100, 105, 107]);
  expect(lines).toEqual([
    { name: HOST, values: [30, 10, 12] },
    { name: PROXY, values: [null, 10, 10] },
    { name: "a", values: [null, 50, null] },
    { name: "b", values: [null, null, null] },
  ]);
  expect(memory(found).lines.at(-1)).toEqual({ name: "b", values: [null, null, 9] });
});

test("no line is drawn across a time in which nobody looked", () => {
  const { times, lines } = processor(moments([], [sample(100, 1, {}), sample(102, 2, {}), sample(200, 3, {})], 0), 1);
  expect(times).toEqual([100, 102, 151, 200]);
  expect(lines[0]!.values).toEqual([1, 2, null, 3]);
});

test("the first look, which knows no use, is left out", () => expect(moments([], [sample(100, null, {})], 0)).toEqual([]));

test("a card's hour, and from there what the page heard; what is stale is not drawn on", () => {
  const past = { timestamp: new Date(90_000).toISOString(), id: 0, name: "Card", gpu_util_pct: 5, mem_used_mb: 100, mem_total_mb: 1000 } as GpuStat;
  const other = { ...past, id: 1 };
  const samples = [sample(100, 1, {}, [card({})]), sample(102, 1, {}, [card({ stale: true, memory_total: null })])];
  const [found, ...more] = cards([past, other], samples, 0);
  expect(more).toEqual([]);
  expect([found!.times, found!.lines.map((line) => line.values), found!.latest.stale]).toEqual([[90, 100], [[5, 50], [10, 50]], true]);
  expect(cards([past], [sample(100, 1, {})], 0)).toEqual([]);
});
