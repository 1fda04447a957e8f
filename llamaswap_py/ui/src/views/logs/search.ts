// What is looked for in a log: words as they stand, or /a regular expression/.

import type { Look, Piece } from "./ansi";

export type Range = readonly [from: number, to: number];

export interface Wanted {
  pattern: RegExp | null;
  /** Why there is no pattern although something was written. */
  mistake: string;
}

const MOST = 200; // places in one line that are marked

export function wantedOf(query: string): Wanted {
  if (!query) return { pattern: null, mistake: "" };
  const expression = /^\/(.+)\/$/.exec(query)?.[1];
  const source = expression ?? query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  try {
    return { pattern: new RegExp(source, "giu"), mistake: "" };
  } catch {
    return { pattern: null, mistake: "This is not a regular expression." };
  }
}

export function isIn(text: string, pattern: RegExp): boolean {
  pattern.lastIndex = 0;
  return pattern.test(text);
}

export function ranges(text: string, pattern: RegExp): Range[] {
  const found: Range[] = [];
  for (const match of text.matchAll(pattern)) {
    if (match[0]) found.push([match.index, match.index + match[0].length]);
    if (found.length >= MOST) break;
  }
  return found;
}

export interface Marked {
  text: string;
  look: Look;
  hit: boolean;
}

/** The pieces, cut where what was found begins and ends. */
export function marked(pieces: readonly Piece[], found: readonly Range[]): Marked[] {
  const all: Marked[] = [];
  let at = 0;
  let next = 0;
  for (const { text, look } of pieces) {
    const end = at + text.length;
    let from = at;
    while (from < end) {
      while (next < found.length && found[next]![1] <= from) next += 1;
      const range = found[next];
      const hit = range !== undefined && range[0] <= from;
      const to = Math.min(end, range === undefined ? end : hit ? range[1] : range[0]);
      all.push({ text: text.slice(from - at, to - at), look, hit });
      from = to;
    }
    at = end;
  }
  return all;
}
