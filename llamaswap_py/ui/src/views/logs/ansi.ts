// Terminal colours of a log line as pieces of text with a look each. Pieces become text nodes: nothing here makes markup.

/** How a piece looks. Colours are `0`–`15` (the theme's), or `r g b`. */
export interface Look {
  readonly ink: string;
  readonly ground: string;
  /** Of `bold dim italic underline inverse strike`, those that hold. */
  readonly marks: readonly string[];
}

export interface Piece {
  text: string;
  look: Look;
}

export const PLAIN: Look = { ink: "", ground: "", marks: [] };

// What terminals do not show: sequences (those with a colour are taken out before), and control characters but the tab.
const COLOUR = /\x1b\[([\d;:]*)m/g;
const NOISE = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const ODD = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

const ON: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const OFF: Record<number, readonly string[]> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
};

export function isPlain(text: string): boolean {
  return !ODD.test(text);
}

/** What there is to read. */
export function stripped(text: string): string {
  return isPlain(text) ? text : text.replace(NOISE, "");
}

/** The line in pieces, and the look with which the next one begins. */
export function pieces(text: string, start: Look = PLAIN): { pieces: Piece[]; end: Look } {
  const found: Piece[] = [];
  let look = start;
  let last = 0;
  const add = (until: number) => {
    const piece = stripped(text.slice(last, until));
    if (piece) found.push({ text: piece, look });
  };
  for (const match of text.matchAll(COLOUR)) {
    add(match.index);
    look = changed(look, match[1]!);
    last = match.index + match[0].length;
  }
  add(text.length);
  return { pieces: found, end: look };
}

/** After a sequence of colours and marks. */
export function changed(look: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map(Number);
  let { ink, ground, marks } = look;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) ({ ink, ground, marks } = PLAIN);
    else if (ON[code]) marks = marks.includes(ON[code]) ? marks : [...marks, ON[code]];
    else if (OFF[code]) marks = marks.filter((mark) => !OFF[code]!.includes(mark));
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      if (code === 38) ink = colour;
      else ground = colour;
      i += used;
    } else if (code === 39) ink = "";
    else if (code === 49) ground = "";
    else if (code >= 30 && code <= 37) ink = String(code - 30);
    else if (code >= 40 && code <= 47) ground = String(code - 40);
    else if (code >= 90 && code <= 97) ink = String(code - 82);
    else if (code >= 100 && code <= 107) ground = String(code - 92);
  }
  return { ink, ground, marks };
}

/** What follows 38 and 48: `5;N` of the table of 256, or `2;R;G;B`; and how many numbers that took. */
function extended(codes: readonly number[]): [string, number] {
  const byte = (value: number | undefined) => Math.max(0, Math.min(255, value || 0));
  if (codes[0] === 2) return [`${byte(codes[1])} ${byte(codes[2])} ${byte(codes[3])}`, 4];
  if (codes[0] !== 5) return ["", codes.length];
  const number = byte(codes[1]);
  if (number < 16) return [String(number), 2];
  if (number > 231) return [Array(3).fill(8 + 10 * (number - 232)).join(" "), 2];
  const cube = [36, 6, 1].map((step) => Math.floor((number - 16) / step) % 6).map((level) => (level ? 55 + 40 * level : 0));
  return [cube.join(" "), 2];
}

/** The classes of a look: `ink-3 bold`. */
export function classes({ ink, ground, marks }: Look): string {
  const names = [...marks];
  if (ink && !ink.includes(" ")) names.push(`ink-${ink}`);
  if (ground && !ground.includes(" ")) names.push(`ground-${ground}`);
  return names.join(" ");
}

/** A colour that has no class. */
export function rgb(colour: string): string | undefined {
  return colour.includes(" ") ? `rgb(${colour})` : undefined;
}
