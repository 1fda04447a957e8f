import { expect, test } from "vitest";
import { difference, hunks, together } from "./diff";

const text = (...lines: string[]) => lines.map((line) => `${line}\n`).join("");
const marks = { same: " ", gone: "-", new: "+" };
const shown = (before: string, after: string) => difference(before, after).map((line) => marks[line.kind] + line.text);

test("lines that were taken out and put in", () => {
  expect(shown(text("a", "b", "c"), text("a", "x", "c"))).toEqual([" a", "-b", "+x", " c"]);
  expect(shown("", text("a"))).toEqual(["+a"]);
  expect(shown(text("a"), "")).toEqual(["-a"]);
  expect(shown(text("a", "b"), text("a", "b"))).toEqual([" a", " b"]);
  expect(shown(text("a", "b", "c", "a"), text("b", "a", "c"))).toHaveLength(5);
});

test("each text can be read out of it, with its own numbers", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 300; round++) {
    const make = () => Array.from({ length: random(12) }, () => "abc"[random(3)]!);
    const [one, other] = [make(), make()];
    const found = difference(text(...one), text(...other));
    const of = (kind: string) => found.filter((line) => line.kind !== kind);
    expect(of("new").map((line) => line.text)).toEqual(one);
    expect(of("gone").map((line) => line.text)).toEqual(other);
    expect(of("new").map((line) => line.old)).toEqual(one.map((_, i) => i + 1));
    expect(of("gone").map((line) => line.now)).toEqual(other.map((_, i) => i + 1));
  }
});

test("only what differs is shown, with what is around it", () => {
  const before = text(..."abcdefghijklmnopqrstuvwxyz");
  const found = hunks(difference(before, before.replace("c\n", "C\n").replace("x\n", "")));
  expect(found.map((hunk) => [hunk.skipped, hunk.lines.length])).toEqual([
    [0, 7],
    [14, 6],
  ]);
});

test("a long file is compared at once", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  const other = many.map((line, i) => (i % 100 ? line : `${line} changed`));
  expect(difference(text(...many), text(...other)).filter((line) => line.kind === "new")).toHaveLength(200);
});

test("two people's changes are put together where they do not meet", () => {
  const before = text("a", "b", "c", "d", "e");
  expect(together(before, text("A", "b", "c", "d", "e"), text("a", "b", "c", "d", "e", "f"))).toBe(text("A", "b", "c", "d", "e", "f"));
  expect(together(before, text("a", "x", "c", "d", "e"), text("a", "y", "c", "d", "e"))).toBeUndefined();
  expect(together(before, text("a", "x", "c", "d", "e"), text("a", "x", "c", "d", "e", "f"))).toBe(text("a", "x", "c", "d", "e", "f"));
  expect(together(before, before, text("a"))).toBe(text("a"));
});
