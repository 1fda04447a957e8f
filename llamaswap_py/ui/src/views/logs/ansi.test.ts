import { expect, test } from "vitest";
import { changed, classes, pieces, PLAIN, rgb, stripped } from "./ansi";

const E = "\x1b[";
const seen = (text: string) => pieces(text).pieces.map((piece) => [piece.text, classes(piece.look)]);

test("a line without colours is one piece", () => expect(seen("plain <b>text</b>")).toEqual([["plain <b>text</b>", ""]]));

test.each([
  [`${E}31mred${E}0m plain`, [["red", "ink-1"], [" plain", ""]]],
  [`${E}1;92;41mall${E}22mless${E}39mground`, [["all", "bold ink-10 ground-1"], ["less", "ink-10 ground-1"], ["ground", "ground-1"]]],
  [`${E}38;5;3myellow${E}48;5;9m on red`, [["yellow", "ink-3"], [" on red", "ink-3 ground-9"]]],
  [`${E}mnothing`, [["nothing", ""]]],
])("%j", (text, parts) => expect(seen(text)).toEqual(parts));

test("colours of the large tables are kept as they are", () => {
  expect(rgb(changed(PLAIN, "38;5;208").ink)).toBe("rgb(255 135 0)");
  expect(rgb(changed(PLAIN, "38;5;250").ink)).toBe("rgb(188 188 188)");
  expect(rgb(changed(PLAIN, "48;2;1;2;300").ground)).toBe("rgb(1 2 255)");
  expect(changed(PLAIN, "38;2;9;8;7;1")).toEqual({ ink: "9 8 7", ground: "", marks: ["bold"] });
  expect(changed(PLAIN, "38")).toEqual(PLAIN);
});

test("what would move a terminal's cursor, name its window or ring its bell is not shown", () => {
  const noisy = `${E}2K${E}?25la\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c\x07\x1b(Bd\x9be`;
  expect(stripped(noisy)).toBe("abcde");
  expect(seen(`${E}2K${E}32mgo${E}K`)).toEqual([["go", "ink-2"]]);
});

test("a colour reaches over the end of its line", () => {
  const first = pieces(`${E}35mone`);
  expect(pieces("two", first.end).pieces.map((piece) => classes(piece.look))).toEqual(["ink-5"]);
});
