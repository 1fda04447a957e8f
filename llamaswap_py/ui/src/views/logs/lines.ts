// The lines of a log that are kept: so many and no more, whatever comes. While somebody reads (`hold`), those on the screen
// stay; what comes then waits, as bounded, for `release`.

import { isPlain, pieces, PLAIN, stripped, type Look } from "./ansi";
import { levelAfter, type Level } from "./levels";

export const KEPT_LINES = 20_000;
export const KEPT_CHARACTERS = 8_000_000;
export const LONGEST_LINE = 16_384; // a longer one becomes several

export interface Line {
  /** Counts up by one, from 0. */
  readonly number: number;
  /** As it came. */
  readonly text: string;
  /** Without colours. */
  readonly plain: string;
  /** With which it begins: colours reach over ends of lines. */
  readonly start: Look;
  readonly level: Level;
  /** Not of the log: says that something is missing here. */
  readonly gap: boolean;
}

/** Takes from its front what is too much. */
class Store {
  private all: Line[] = [];
  private head = 0;
  private characters = 0;
  dropped = 0;

  constructor(private readonly lines: number) {}

  get size(): number {
    return this.all.length - this.head;
  }

  add(line: Line): void {
    this.all.push(line);
    this.characters += line.text.length;
  }

  /** Down to `lines`, and to as many characters as so many lines may have. */
  trim(lines = this.lines): void {
    const most = (KEPT_CHARACTERS / KEPT_LINES) * lines;
    while (this.size > lines || (this.characters > most && this.size > 1)) {
      this.characters -= this.all[this.head]!.text.length;
      this.head += 1;
      this.dropped += 1;
    }
    if (this.head > 4096 && this.head > this.all.length / 2) {
      this.all = this.all.slice(this.head);
      this.head = 0;
    }
  }

  isFull(): boolean {
    return this.size >= this.lines || this.characters >= (KEPT_CHARACTERS / KEPT_LINES) * this.lines;
  }

  /** Those from number `from` on; the numbers of what is kept follow one another but where there was a gap. */
  from(from: number): Line[] {
    let low = this.head;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle]!.number < from) low = middle + 1;
      else high = middle;
    }
    return this.all.slice(low);
  }

  first(): Line | undefined {
    return this.all[this.head];
  }

  clear(): void {
    this.all = [];
    this.head = 0;
    this.characters = 0;
    this.dropped = 0;
  }
}

export class Lines {
  private readonly shown = new Store(2 * KEPT_LINES); // twice as many while they are held
  private readonly later = new Store(KEPT_LINES);
  private count = 0;
  private look: Look = PLAIN;
  private level: Level = "info";
  private rest = ""; // of a line whose end has not come
  private held = false;
  /** Another one means that numbers begin anew. */
  epoch = 0;

  get isHeld(): boolean {
    return this.held;
  }

  /** How many there are to be seen. */
  get size(): number {
    return this.shown.size;
  }

  /** How many came since the beginning, or since it was cleared. */
  get total(): number {
    return this.count;
  }

  get dropped(): number {
    return this.shown.dropped + this.later.dropped;
  }

  /** How many wait until nobody holds the others. */
  get waiting(): number {
    return this.later.size + this.later.dropped;
  }

  /** The number of the first that is kept. */
  get first(): number {
    return this.shown.first()?.number ?? this.count;
  }

  from(number: number): Line[] {
    return this.shown.from(number);
  }

  /** The line that is being written. */
  get open(): Line | undefined {
    return this.rest && !this.later.size ? this.made(this.rest, this.count) : undefined;
  }

  push(text: string): void {
    let begin = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", begin)) {
      this.end(this.rest + text.slice(begin, end));
      this.rest = "";
      begin = end + 1;
    }
    this.rest += text.slice(begin);
    while (this.rest.length > LONGEST_LINE) {
      this.end(this.rest.slice(0, LONGEST_LINE));
      this.rest = this.rest.slice(LONGEST_LINE);
    }
    this.trim();
  }

  private trim(): void {
    this.later.trim();
    this.shown.trim(this.held ? undefined : KEPT_LINES);
  }

  /** Something is missing from here on. */
  gap(words: string): void {
    if (this.rest) this.push("\n");
    this.look = PLAIN;
    this.add({ ...this.made(words, this.count), gap: true });
    this.trim();
  }

  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const line of this.later.from(0)) this.shown.add(line);
    this.shown.dropped += this.later.dropped;
    this.later.clear();
    this.shown.trim(KEPT_LINES);
  }

  clear(): void {
    this.shown.clear();
    this.later.clear();
    this.rest = "";
    this.look = PLAIN;
    this.level = "info";
    this.count = 0;
    this.epoch += 1;
  }

  /** Everything that is kept, as text. */
  text(): string {
    const kept = [...this.shown.from(0), ...this.later.from(0)].map((line) => line.plain);
    if (this.rest) kept.push(stripped(shownOf(this.rest)));
    return kept.join("\n") + (kept.length ? "\n" : "");
  }

  private end(raw: string): void {
    for (let begin = 0; begin === 0 || begin < raw.length; begin += LONGEST_LINE) {
      const line = this.made(raw.slice(begin, begin + LONGEST_LINE), this.count);
      this.level = line.level;
      if (line.text !== line.plain) this.look = pieces(line.text, line.start).end;
      this.add(line);
    }
  }

  private add(line: Line): void {
    this.count += 1;
    (this.held && (this.later.size || this.shown.isFull()) ? this.later : this.shown).add(line);
  }

  private made(raw: string, number: number): Line {
    const text = shownOf(raw);
    const plain = isPlain(text) ? text : stripped(text);
    return { number, text, plain, start: this.look, level: levelAfter(this.level, plain), gap: false };
  }
}

/** Of a bar that draws itself anew, the last state. */
function shownOf(raw: string): string {
  if (!raw.includes("\r")) return raw;
  const text = raw.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
