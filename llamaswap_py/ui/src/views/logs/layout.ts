// Which of the kept lines are to be seen, and where each of them stands: in rows of the screen, counted, not measured, so
// that only those on the screen need to be drawn.

import type { Line, Lines } from "./lines";

const TAB = 8;
const WIDE = /[^\x00-\u10ff]/;

/** How many cells of a screen a line takes. */
export function cells(text: string): number {
  if (!text.includes("\t") && !WIDE.test(text)) return text.length;
  let wide = 0;
  for (const character of text) {
    if (character === "\t") wide += TAB - (wide % TAB);
    else wide += character.codePointAt(0)! >= 0x1100 ? 2 : 1;
  }
  return wide;
}

export class Layout {
  private lines: Line[] = [];
  private ends: number[] = []; // the row behind each, from where row 0 was at the beginning
  private head = 0;
  private next = 0; // the number of the line that is looked at next
  private epoch = -1;
  private open: Line | undefined;
  /** How many of the lines hold what is looked for, and their numbers. */
  private found: number[] = [];

  /** `columns`: of the screen; 0 where lines are not wrapped. */
  constructor(
    readonly columns: number,
    private readonly fits: (line: Line) => boolean,
    private readonly isFound: (line: Line) => boolean,
  ) {}

  /** Takes over what came and what was dropped since. */
  follow(kept: Lines): void {
    if (kept.epoch !== this.epoch) this.begin(kept.epoch);
    while (this.head < this.lines.length && this.lines[this.head]!.number < kept.first) this.head += 1;
    for (const line of kept.from(this.next)) {
      this.next = line.number + 1;
      if (!this.fits(line)) continue;
      this.lines.push(line);
      this.ends.push((this.ends.at(-1) ?? 0) + this.rowsOf(line));
      if (this.isFound(line)) this.found.push(line.number);
    }
    const open = kept.open;
    this.open = open && this.fits(open) ? open : undefined;
    this.compact(kept.first);
  }

  private begin(epoch: number): void {
    this.lines = [];
    this.ends = [];
    this.head = this.next = 0;
    this.found = [];
    this.epoch = epoch;
  }

  private compact(first: number): void {
    if (this.found.length && this.found[0]! < first) this.found = this.found.slice(lowerBound(this.found, first));
    if (this.head <= 4096 || this.head <= this.lines.length / 2) return;
    const base = this.base;
    this.lines = this.lines.slice(this.head);
    this.ends = this.ends.slice(this.head).map((end) => end - base);
    this.head = 0;
  }

  private get base(): number {
    return this.head ? this.ends[this.head - 1]! : 0;
  }

  private rowsOf(line: Line): number {
    return this.columns ? Math.max(1, Math.ceil(cells(line.plain) / this.columns)) : 1;
  }

  get size(): number {
    return this.lines.length - this.head + (this.open ? 1 : 0);
  }

  get rows(): number {
    return (this.ends.at(-1) ?? 0) - this.base + (this.open ? this.rowsOf(this.open) : 0);
  }

  /** Of the lines that hold what is looked for. */
  get hits(): readonly number[] {
    return this.found;
  }

  /** Those that reach into these rows, and the row where the first of them begins. */
  between(from: number, to: number): { lines: Line[]; row: number } {
    const base = this.base;
    const first = Math.max(this.head, upperBound(this.ends, base + from));
    const row = (first > this.head ? this.ends[first - 1]! : base) - base;
    const lines: Line[] = [];
    let at = row;
    for (let index = first; index < this.lines.length && at < to; index++) {
      lines.push(this.lines[index]!);
      at = this.ends[index]! - base;
    }
    if (this.open && at < to) lines.push(this.open);
    return { lines, row };
  }

  /** The row where a line begins; of one that is not to be seen, where it would. */
  rowOf(number: number): number {
    let low = this.head;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    return (low > this.head ? this.ends[low - 1]! : this.base) - this.base;
  }
}

/** The first place whose value is not below. */
function lowerBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place whose value is above. */
export function upperBound(values: readonly number[], value: number): number {
  return lowerBound(values, value + 0.5);
}
