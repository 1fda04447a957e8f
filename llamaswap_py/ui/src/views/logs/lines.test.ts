import { expect, test } from "vitest";
import { KEPT_CHARACTERS, KEPT_LINES, Lines, LONGEST_LINE } from "./lines";

const shown = (lines: Lines) => lines.from(0).map((line) => line.plain);
const many = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

test("lines are the same however they are cut", () => {
  const text = "one\r\ntwo\x1b[31m red\x1b[0m\n\n10%\r60%\r100%\nfour";
  for (let at = 0; at <= text.length; at++) {
    const lines = new Lines();
    lines.push(text.slice(0, at));
    lines.push(text.slice(at));
    expect([shown(lines), lines.open?.plain]).toEqual([["one", "two red", "", "100%"], "four"]);
  }
});

test("a line that is being written is seen before its end", () => {
  const lines = new Lines();
  lines.push("load");
  expect(lines.open?.plain).toBe("load");
  lines.push("ing\n");
  expect([shown(lines), lines.open]).toEqual([["loading"], undefined]);
});

test("the newest are kept, and it is known how many are not", () => {
  const lines = new Lines();
  lines.push(many(0, KEPT_LINES + 500));
  expect([lines.size, lines.dropped, lines.first, lines.total]).toEqual([KEPT_LINES, 500, 500, KEPT_LINES + 500]);
  expect(shown(lines)[0]).toBe("line 500");
});

test("few long lines take no more room than many short ones", () => {
  const lines = new Lines();
  for (let i = 0; i < 1000; i++) lines.push(`${"x".repeat(LONGEST_LINE - 1)}\n`);
  expect(lines.size).toBe(Math.floor(KEPT_CHARACTERS / (LONGEST_LINE - 1)));
  expect(lines.size + lines.dropped).toBe(1000);
});

test("a line without end is cut, and nothing of it is lost", () => {
  const lines = new Lines();
  lines.push("y".repeat(2 * LONGEST_LINE + 5));
  lines.push("\n");
  expect(shown(lines).map((line) => line.length)).toEqual([LONGEST_LINE, LONGEST_LINE, 5]);
});

test("who reads keeps what is on the screen, however much comes, and is given the newest afterwards", () => {
  const lines = new Lines();
  lines.push(many(0, KEPT_LINES));
  lines.hold();
  for (let i = 1; i < 6; i++) lines.push(many(i * KEPT_LINES, (i + 1) * KEPT_LINES));
  expect([lines.first, lines.size, lines.waiting]).toEqual([0, 2 * KEPT_LINES, 4 * KEPT_LINES]);
  lines.release();
  const kept = shown(lines);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([KEPT_LINES, `line ${5 * KEPT_LINES}`, `line ${6 * KEPT_LINES - 1}`]);
  expect([lines.dropped, lines.waiting]).toEqual([5 * KEPT_LINES, 0]);
});

test("a gap stands where it is, and ends the line that was being written", () => {
  const lines = new Lines();
  lines.push("\x1b[31mhalf");
  lines.gap("— 5 bytes missing —");
  lines.push("next\n");
  expect(lines.from(0).map((line) => [line.plain, line.gap, line.start.ink])).toEqual([
    ["half", false, ""],
    ["— 5 bytes missing —", true, ""],
    ["next", false, ""],
  ]);
});

test("cleared, it begins anew", () => {
  const lines = new Lines();
  lines.push("one\ntwo");
  lines.clear();
  lines.push("three\n");
  expect([shown(lines), lines.first, lines.dropped, lines.epoch]).toEqual([["three"], 0, 0, 1]);
});

test("as a file it has every line that is kept, without colours", () => {
  const lines = new Lines();
  expect(lines.text()).toBe("");
  lines.push("\x1b[1mone\x1b[0m\ntwo");
  expect(lines.text()).toBe("one\ntwo\n");
});
