// Benchmarks: how far one is, and two of them side by side. Pure.

import type { BenchmarkCell, BenchmarkOrder, BenchmarkResult, BenchmarkSession } from "../../lib/shapes";
import { count, duration } from "../../lib/words";

export const isOver = ({ state }: BenchmarkOrder) => state === "done" || state === "failed" || state === "cancelled";

export const STATES = {
  waiting: { kind: "idle", word: "Waiting" },
  running: { kind: "busy", word: "Running", moving: true },
  done: { kind: "ready", word: "Done" },
  failed: { kind: "failed", word: "Failed" },
  cancelled: { kind: "idle", word: "Cancelled" },
} as const;

/** Quick: one length of prompt, one caller, no loads. Full is what `llamaswap bench` does without a word. */
export function orderOf(models: string[], isQuick: boolean): object {
  return isQuick ? { models, prompt: [128], concurrency: [1], tokens: 64, repeat: 2, loads: false } : { models };
}

export interface Pair {
  label: string;
  values: [number | null, number | null];
}

export interface Chart {
  title: string;
  unit: string;
  /** Is more of it better? */
  more: boolean;
  pairs: Pair[];
}

export interface Side {
  name: string;
  result: BenchmarkResult;
}

export function sidesOf(session: BenchmarkSession, when: string): Side[] {
  return session.results.filter((result) => result.cells.length).map((result) => ({ name: `${result.name}, ${when}`, result }));
}

const FIGURES: [string, string, boolean, (cell: BenchmarkCell) => number | null][] = [
  ["Answer", "tok/s", true, (cell) => cell.speed],
  ["Prompt", "tok/s", true, (cell) => cell.prompt_speed],
  ["All callers together", "tok/s", true, (cell) => cell.together],
  ["Until the first token", "s", false, (cell) => cell.first],
];

/** What both were asked, figure by figure; what only one was asked stands beside nothing. */
export function compared(one: BenchmarkResult, other: BenchmarkResult | undefined): Chart[] {
  const key = (cell: BenchmarkCell) => `${cell.wanted} ${cell.callers}`;
  const cells = new Map<string, [BenchmarkCell | undefined, BenchmarkCell | undefined]>();
  for (const cell of one.cells) cells.set(key(cell), [cell, undefined]);
  for (const cell of other?.cells ?? []) cells.set(key(cell), [cells.get(key(cell))?.[0], cell]);
  const sorted = [...cells.values()].sort(([a, b], [c, d]) => order(a ?? b!) - order(c ?? d!));
  const charts = FIGURES.map(([title, unit, more, of]) => ({
    title,
    unit,
    more,
    pairs: sorted.map(([left, right]) => ({ label: labelOf((left ?? right)!), values: [figure(left, of), figure(right, of)] as Pair["values"] })),
  }));
  const loads = { title: "Load", unit: "s", more: false, pairs: [
    { label: "cold", values: [one.cold, other?.cold ?? null] as Pair["values"] },
    { label: "warm", values: [one.warm, other?.warm ?? null] as Pair["values"] },
  ].filter(({ values }) => values.some((value) => value !== null)) }; // prettier-ignore
  return [...charts, loads].filter(({ pairs }) => pairs.some(({ values }) => values.some((value) => value)));
}

const order = (cell: BenchmarkCell) => cell.wanted * 1000 + cell.callers;
const figure = (cell: BenchmarkCell | undefined, of: (cell: BenchmarkCell) => number | null) => (cell && cell.answers ? of(cell) : null);
const labelOf = (cell: BenchmarkCell) => `prompt ${count(cell.wanted)}, ${cell.callers === 1 ? "1 caller" : `${cell.callers} callers`}`;

export function said(value: number | null, unit: string): string {
  if (value === null) return "–";
  return unit === "s" ? duration(value) : `${count(value, value < 10 ? 1 : 0)}\u202f${unit}`;
}

/** "12 % faster", of the second as against the first. */
export function difference([one, other]: Pair["values"], more: boolean): string {
  if (!one || !other) return "";
  const ratio = more ? other / one : one / other;
  const percent = Math.round((ratio - 1) * 100);
  if (Math.abs(percent) < 1) return "the same";
  return percent > 0 ? `${percent}\u202f% faster` : `${-percent}\u202f% slower`;
}
