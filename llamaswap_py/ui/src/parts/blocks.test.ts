import { expect, it } from "vitest";
import { blocks } from "./blocks";

const TEXT = `# Title

A paragraph
of two lines.

\`\`\`\`python
one

\`\`\`
two
\`\`\`\`

- item

  more of it

- item

1. one

2. two

Then

    code

last`;

it("are the text, cut at empty lines that are neither in code nor in a list", () => {
  const found = blocks(TEXT);
  expect(found.join("")).toBe(TEXT);
  expect(found.map((each) => each.split("\n")[0])).toEqual(["# Title", "A paragraph", "````python", "- item", "Then", "    code", "last"]);
});

it("stay as they are while the text grows, but for the last", () => {
  for (let size = 1; size < TEXT.length; size++) {
    const before = blocks(TEXT.slice(0, size));
    const after = blocks(TEXT.slice(0, size + 1));
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  }
});
