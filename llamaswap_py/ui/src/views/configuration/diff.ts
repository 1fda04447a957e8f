// What differs between two texts, line by line; and two people's changes to one text put together.

export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
  /** 1-based; 0 where it is not in that text. */
  old: number;
  now: number;
}

/** Beyond so many differences the rest is told as replaced: nobody reads more, and time grows with the square. */
const MOST = 4000;

function lines(text: string): string[] {
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  return all;
}

/** Myers' way: the fewest lines taken out and put in. */
export function difference(before: string, after: string): Line[] {
  const a = lines(before);
  const b = lines(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const found: Line[] = [];
  const same = (from: number, shift: number, count: number) => {
    for (let i = from; i < from + count; i++) found.push({ kind: "same", text: a[i]!, old: i + 1, now: i + 1 + shift });
  };
  same(0, 0, head);
  for (const step of middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)))
    found.push({ ...step, old: step.old && step.old + head, now: step.now && step.now + head });
  same(a.length - tail, b.length - a.length, tail);
  return found;
}

function middle(a: string[], b: string[]): Line[] {
  const trace: Map<number, number>[] = [];
  let reach = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, MOST); d++) {
    trace.push(reach);
    reach = new Map(reach);
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && reach.get(k - 1)! < reach.get(k + 1)!) ? reach.get(k + 1)! : reach.get(k - 1)! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walked(a, b, trace);
    }
  }
  const gone = a.map((text, i): Line => ({ kind: "gone", text, old: i + 1, now: 0 }));
  return [...gone, ...b.map((text, i): Line => ({ kind: "new", text, old: 0, now: i + 1 }))];
}

function walked(a: string[], b: string[], trace: Map<number, number>[]): Line[] {
  const found: Line[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach.get(k - 1)! < reach.get(k + 1)!);
    const from = down ? k + 1 : k - 1;
    const oldX = d === 0 ? 0 : reach.get(from)!;
    const oldY = d === 0 ? 0 : oldX - from;
    while (x > oldX && y > oldY) found.push({ kind: "same", text: a[--x]!, old: x + 1, now: y-- });
    if (d === 0) break;
    if (down) found.push({ kind: "new", text: b[--y]!, old: 0, now: y + 1 });
    else found.push({ kind: "gone", text: a[--x]!, old: x + 1, now: 0 });
  }
  return found.reverse();
}

export interface Hunk {
  /** Lines left out before it. */
  skipped: number;
  lines: Line[];
}

/** Only what differs, with a little around it. */
export function hunks(all: Line[], around = 3): Hunk[] {
  const shown = new Set<number>();
  all.forEach((line, i) => {
    if (line.kind !== "same") for (let j = Math.max(0, i - around); j <= Math.min(all.length - 1, i + around); j++) shown.add(j);
  });
  for (let i = 0; i < all.length; i++) if ((i === 0 || shown.has(i - 1)) && shown.has(i + 1)) shown.add(i); // not worth a gap
  const found: Hunk[] = [];
  let last = -1;
  for (const i of [...shown].sort((one, other) => one - other)) {
    if (i !== last + 1 || !found.length) found.push({ skipped: i - last - 1, lines: [] });
    found.at(-1)!.lines.push(all[i]!);
    last = i;
  }
  return found;
}

interface Change {
  /** Lines of the text before, 0-based, the end left out. */
  from: number;
  to: number;
  put: string[];
}

function changes(before: string, after: string): Change[] {
  const found: Change[] = [];
  let at = 0;
  let open: Change | undefined;
  for (const line of difference(before, after)) {
    if (line.kind === "same") open = undefined;
    else if (!open) found.push((open = { from: at, to: at, put: [] }));
    if (line.kind === "new") open!.put.push(line.text);
    else at++;
    if (open) open.to = at;
  }
  return found;
}

/** Both changes to `before` in one text; undefined where they meet. */
export function together(before: string, mine: string, theirs: string): string | undefined {
  const all = changes(before, mine);
  for (const change of changes(before, theirs)) {
    const meets = all.filter((each) => each.from <= change.to && change.from <= each.to);
    const same = meets.find((each) => each.from === change.from && each.to === change.to && each.put.join("\n") === change.put.join("\n"));
    if (same) continue;
    if (meets.length) return undefined;
    all.push(change);
  }
  const text = lines(before);
  for (const { from, to, put } of all.sort((one, other) => other.from - one.from)) text.splice(from, to - from, ...put);
  return text.length ? `${text.join("\n")}\n` : "";
}
