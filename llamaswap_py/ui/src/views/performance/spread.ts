// How figures are spread, as bars that can be drawn and words that can be read.

import type { Slot, Spread } from "../../lib/shapes";

export interface Bar {
  from: number;
  to: number;
  count: number;
  /** Of the highest bar. */
  share: number;
}

/** Neighbours are put together until they are few enough. */
export function bars({ edges, counts }: Spread, most = 24): Bar[] {
  const step = Math.max(1, Math.ceil(counts.length / most));
  const found: Omit<Bar, "share">[] = [];
  for (let i = 0; i < counts.length; i += step) {
    const end = Math.min(i + step, counts.length);
    found.push({ from: edges[i]!, to: edges[end]!, count: counts.slice(i, end).reduce((sum, count) => sum + count, 0) });
  }
  const highest = Math.max(1, ...found.map((bar) => bar.count));
  return found.map((bar) => ({ ...bar, share: bar.count / highest }));
}

/** Where a value stands between the bars, from 0 to 1: each of them is as wide as the others. */
export function place(found: readonly Bar[], value: number): number {
  const index = found.findIndex((bar) => value < bar.to);
  if (index < 0) return 1;
  const bar = found[index]!;
  const within = bar.to > bar.from ? Math.max(0, (value - bar.from) / (bar.to - bar.from)) : 0;
  return (index + within) / found.length;
}

/** Every slot of the time, those without requests too, so that it goes by evenly; the newest `most`. */
export function evenly(slots: readonly Slot[], seconds: number, from: number, until: number, most = 72): Slot[] {
  const floor = (at: number) => Math.floor(at / seconds) * seconds;
  const known = new Map(slots.map((slot) => [slot.at, slot]));
  const last = floor(until);
  const found: Slot[] = [];
  for (let at = Math.max(floor(from), last - seconds * (most - 1)); at <= last; at += seconds) {
    found.push(known.get(at) ?? { at, requests: 0, queued_s: 0, loading_s: 0 });
  }
  return found;
}
