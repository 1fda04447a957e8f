import { expect, test } from "vitest";
import { cells, Layout } from "./layout";
import { KEPT_LINES, Lines } from "./lines";

const all = () => true;
const none = () => false;

test.each([
  ["plain", 5],
  ["a\tb", 9],
  ["\t", 8],
  ["日本", 4],
  ["é", 1],
])("%j takes %d cells", (text, number) => expect(cells(text)).toBe(number));

function laid(text: string, columns = 10, fits: (line: { plain: string }) => boolean = all) {
  const lines = new Lines();
  lines.push(text);
  const layout = new Layout(columns, fits, (line) => line.plain.includes("!"));
  layout.follow(lines);
  return { lines, layout };
}

test("long lines take several rows, empty ones take one", () => {
  const { layout } = laid(`${"x".repeat(25)}\n\nshort\nopen${"y".repeat(9)}`);
  expect([layout.size, layout.rows]).toEqual([4, 3 + 1 + 1 + 2]);
  expect([0, 1, 2, 3].map((number) => layout.rowOf(number))).toEqual([0, 3, 4, 5]);
});

test("only what reaches into the rows is drawn", () => {
  const { layout } = laid(`${"x".repeat(25)}\n\nshort\nlast\n`);
  const seen = (from: number, to: number) => {
    const { lines, row } = layout.between(from, to);
    return [row, lines.map((line) => line.number)];
  };
  expect(seen(0, 1)).toEqual([0, [0]]);
  expect(seen(2, 4)).toEqual([0, [0, 1]]);
  expect(seen(3, 5)).toEqual([3, [1, 2]]);
  expect(seen(5, 99)).toEqual([5, [3]]);
});

test("without wrapping each line is a row", () => expect(laid(`${"x".repeat(99)}\nb\n`, 0).layout.rows).toBe(2));

test("what does not fit is not there, and what is looked for is counted", () => {
  const { lines, layout } = laid("a!\nb\nc!\nd\n", 10, (line) => line.plain !== "d");
  expect([layout.size, layout.hits]).toEqual([3, [0, 2]]);
  lines.push("e!\n");
  layout.follow(lines);
  expect([layout.size, layout.hits]).toEqual([4, [0, 2, 4]]);
});

test("it follows what is dropped from the front for ever", () => {
  const lines = new Lines();
  const layout = new Layout(4, (line) => line.number % 2 === 0, none);
  for (let i = 0; i < 12; i++) {
    lines.push("12345678\n".repeat(KEPT_LINES / 3));
    layout.follow(lines);
    const kept = lines.from(0).filter((line) => line.number % 2 === 0);
    expect([layout.size, layout.rows]).toEqual([kept.length, 2 * kept.length]);
    expect(layout.between(0, 1)).toMatchObject({ row: 0, lines: [{ number: kept[0]!.number }] });
    expect(layout.between(layout.rows - 1, layout.rows).lines.at(-1)!.number).toBe(kept.at(-1)!.number);
  }
});

test("cleared, it begins anew", () => {
  const { lines, layout } = laid("a!\nb\n");
  lines.clear();
  lines.push("c\n");
  layout.follow(lines);
  expect([layout.size, layout.rows, layout.hits]).toEqual([1, 1, []]);
});
