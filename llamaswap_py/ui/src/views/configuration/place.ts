// Where in the tree a place of the text is, by its indentation: good enough to know what may be written there.

import type { Path } from "./schema";

const KEY = /^((?:- +)*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#&*!|>%@`"'[\]{},-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|$)\s*(.*)$/;

export interface Place {
  /** Of the section that the place is in. */
  path: Path;
  /** What stands of a key, or of the value behind `key:`. */
  part: "key" | "value" | "text";
  key: string;
  /** What is written of it so far, and where that begins in the line. */
  word: string;
  from: number;
}

interface Row {
  indent: number;
  /** Dashes in front of the key: each is one list. */
  dashes: number;
  key: string | undefined;
  value: string;
  at: number;
}

function rowOf(line: string): Row | undefined {
  const text = line.trimStart();
  if (!text || text.startsWith("#")) return undefined;
  const indent = line.length - text.length;
  const dashes = /^(?:- +|-$)*/.exec(text)![0];
  const found = KEY.exec(text);
  const key = found ? unquoted(found[2]!) : undefined;
  return { indent, dashes: dashes.split("-").length - 1, key, value: found?.[3] ?? text.slice(dashes.length), at: indent + dashes.length };
}

function unquoted(text: string): string {
  return /^["']/.test(text) ? text.slice(1, -1) : text;
}

/** `line` is 0-based, `column` where the cursor stands. */
export function placeAt(lines: readonly string[], line: number, column: number): Place {
  const before = (lines[line] ?? "").slice(0, column);
  const row = rowOf(before) ?? { indent: before.length - before.trimStart().length, dashes: 0, key: undefined, value: "", at: before.length };
  const above = ancestors(lines, line, row);
  if (above.isText) return { path: above.path, part: "text", key: "", word: "", from: column };
  const dashes = Array<string>(row.dashes).fill("-");
  if (row.key !== undefined)
    return { path: [...above.path, ...dashes], part: "value", key: row.key, word: row.value, from: before.length - row.value.length };
  return { path: [...above.path, ...dashes], part: row.dashes ? "value" : "key", key: "", word: row.value, from: before.length - row.value.length };
}

function ancestors(lines: readonly string[], line: number, row: Row): { path: string[]; isText: boolean } {
  const path: string[] = [];
  let limit = row.dashes ? row.indent + 1 : row.indent; // a list may stand as far left as its key
  let isText = false;
  for (let i = line - 1; i >= 0 && limit > 0; i--) {
    const each = rowOf(lines[i]!);
    if (!each || each.indent >= limit || (each.indent >= row.indent && row.dashes && each.dashes)) continue;
    const isBelow = each.at < limit || each.indent < limit;
    if (!isBelow) continue;
    if (each.key !== undefined && each.at < limit) {
      path.unshift(each.key);
      if (/^[|>][-+0-9]*\s*(#.*)?$/.test(each.value)) isText = true;
    }
    path.unshift(...Array<string>(each.dashes).fill("-"));
    limit = each.indent;
    if (each.dashes) limit += 1; // the key of the list may stand in the same column
  }
  return { path, isText };
}

/** The key at a place and its path, for what is said of it; undefined where no key is. */
export function keyAt(lines: readonly string[], line: number, column: number): { path: Path; from: number; to: number } | undefined {
  const text = lines[line] ?? "";
  const row = rowOf(text);
  if (!row || row.key === undefined) return undefined;
  const end = row.at + text.slice(row.at).search(/\s*:(\s|$)/);
  if (column < row.at || column > end) return undefined;
  const above = ancestors(lines, line, row);
  return above.isText ? undefined : { path: [...above.path, ...Array<string>(row.dashes).fill("-"), row.key], from: row.at, to: end };
}

/** The keys that stand in the same section already. */
export function siblings(lines: readonly string[], line: number): string[] {
  const here = rowOf(lines[line] ?? "");
  const indent = here?.at ?? (lines[line] ?? "").length;
  const found: string[] = [];
  for (const step of [-1, 1]) {
    for (let i = line + step; i >= 0 && i < lines.length; i += step) {
      const row = rowOf(lines[i]!);
      if (!row) continue;
      if (row.at < indent) break;
      if (row.at === indent && row.key !== undefined) found.push(row.key);
    }
  }
  return found;
}
