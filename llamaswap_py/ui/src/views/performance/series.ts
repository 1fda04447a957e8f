// Looks at the machine as lines over time, all on the same moments; where nobody looked there is a gap.

import type { GpuStat, GpuUse, Sample } from "../../lib/shapes";

export interface Line {
  name: string;
  values: (number | null)[];
}

export interface Lines {
  /** Unix seconds. */
  times: number[];
  lines: Line[];
}

/** Of `GET /api/performance`: the host alone, for the last hour. */
export interface HostStat {
  timestamp: string;
  cpu_util_per_core: number[];
  mem_used_mb: number;
}

interface Moment {
  at: number;
  cpu: number | null;
  memory: number;
  sample?: Sample;
}

const MIB = 1024 * 1024;
const NEAR = 4; // seconds: closer than that it is the same look
const GAP = 15; // seconds without a look: three of the slower kind

export const HOST = "This machine";
export const PROXY = "llamaswap";

function mean(values: readonly number[]): number | null {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

/** What the page heard, and where it was not there the hour that the server kept. */
export function moments(hosts: readonly HostStat[], samples: readonly Sample[], since: number): Moment[] {
  const own: Moment[] = samples
    .filter(({ cpu }) => cpu !== null) // the first look at all knows no use
    .map((sample) => ({ at: sample.at, cpu: sample.cpu, memory: sample.memory, sample }));
  const kept = hosts
    .map((host) => ({ at: Date.parse(host.timestamp) / 1000, cpu: mean(host.cpu_util_per_core), memory: host.mem_used_mb * MIB }))
    .filter(({ at }) => !isNear(own, at));
  return [...kept, ...own].filter(({ at }) => at >= since).sort((a, b) => a.at - b.at);
}

function isNear(own: readonly Moment[], at: number): boolean {
  const after = own.findIndex((moment) => moment.at >= at);
  const around = [own[after < 0 ? own.length - 1 : after - 1], own[after]];
  return around.some((moment) => moment !== undefined && Math.abs(moment.at - at) < NEAR);
}

/** With an empty moment wherever nobody looked for a while, so that no line is drawn across. */
function withGaps(found: readonly Moment[]): (Moment | number)[] {
  return found.flatMap((moment, index) => {
    const last = found[index - 1];
    return last && moment.at - last.at > GAP ? [(moment.at + last.at) / 2, moment] : [moment];
  });
}

type Value = (moment: Moment) => number | null;

function lined(found: readonly Moment[], named: readonly [string, Value][]): Lines {
  const all = withGaps(found);
  return {
    times: all.map((moment) => (typeof moment === "number" ? moment : moment.at)),
    lines: named.map(([name, value]) => ({ name, values: all.map((moment) => (typeof moment === "number" ? null : value(moment))) })),
  };
}

function models(found: readonly Moment[]): string[] {
  return [...new Set(found.flatMap(({ sample }) => Object.keys(sample?.models ?? {})))].sort();
}

/** Percent of all cores. */
export function processor(found: readonly Moment[], cores: number): Lines {
  const share = (cpu: number | null | undefined) => (cpu === null || cpu === undefined ? null : cpu / Math.max(1, cores));
  return lined(found, [
    [HOST, ({ cpu }) => cpu],
    [PROXY, ({ sample }) => share(sample?.proxy.cpu)],
    ...models(found).map((name): [string, Value] => [name, ({ sample }) => share(sample?.models[name]?.cpu)]),
  ]);
}

/** Bytes. */
export function memory(found: readonly Moment[]): Lines {
  return lined(found, [
    [HOST, (moment) => moment.memory],
    [PROXY, ({ sample }) => sample?.proxy.memory ?? null],
    ...models(found).map((name): [string, Value] => [name, ({ sample }) => sample?.models[name]?.memory ?? null]),
  ]);
}

// ---- cards

export interface CardLines extends Lines {
  name: string;
  latest: GpuUse;
}

/** What a card was doing, in percent. Those that are known now come first. */
export function cards(history: readonly GpuStat[], samples: readonly Sample[], since: number): CardLines[] {
  const latest = samples.at(-1)?.gpus ?? [];
  const first = samples[0]?.at ?? Infinity;
  return latest.map((card) => {
    const past = history
      .filter((stat) => stat.id === card.index && stat.name === card.name)
      .map((stat) => ({ at: Date.parse(stat.timestamp) / 1000, use: stat.gpu_util_pct, memory: percent(stat.mem_used_mb, stat.mem_total_mb) }))
      .filter(({ at }) => at < first);
    const own = samples.flatMap(({ at, gpus }) => {
      const seen = gpus.find((each) => each.index === card.index && each.name === card.name);
      return seen && !seen.stale ? [{ at, use: seen.utilization_percent, memory: percent(seen.memory_used, seen.memory_total) }] : [];
    });
    const all = [...past, ...own].filter(({ at }) => at >= since);
    return {
      name: card.name,
      latest: card,
      times: all.map(({ at }) => at),
      lines: [
        { name: "In use", values: all.map(({ use }) => use) },
        { name: "Memory", values: all.map(({ memory: share }) => share) },
      ],
    };
  });
}

function percent(used: number | null, total: number | null): number | null {
  return used === null || !total ? null : (100 * used) / total;
}
