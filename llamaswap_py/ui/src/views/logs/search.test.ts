import { expect, test } from "vitest";
import { pieces } from "./ansi";
import { isIn, marked, ranges, wantedOf } from "./search";

const shown = (text: string, query: string) => {
  const { pieces: parts } = pieces(text);
  const plain = parts.map((part) => part.text).join("");
  return marked(parts, ranges(plain, wantedOf(query).pattern!)).map(({ text: said, hit }) => (hit ? `<${said}>` : said));
};

test.each([
  ["an error, an ERROR", "error", ["an ", "<error>", ", an ", "<ERROR>"]],
  ["a.b axb", "a.b", ["<a.b>", " axb"]],
  ["took 12 ms and 7 ms", "/\\d+ ms/", ["took ", "<12 ms>", " and ", "<7 ms>"]],
  ["\x1b[31mer\x1b[0mror", "error", ["<er>", "<ror>"]],
  ["nothing", "x", ["nothing"]],
])("%j: %s", (text, query, parts) => expect(shown(text, query)).toEqual(parts));

test("what is no expression is said to be none", () => {
  expect(wantedOf("/(/")).toEqual({ pattern: null, mistake: "This is not a regular expression." });
  expect(wantedOf("")).toEqual({ pattern: null, mistake: "" });
});

test("a search begins anew on every line, and an empty match marks nothing", () => {
  const { pattern } = wantedOf("b");
  expect([isIn("ab", pattern!), isIn("ab", pattern!)]).toEqual([true, true]);
  expect(ranges("abc", wantedOf("/x*/").pattern!)).toEqual([]);
});
