// A Markdown text that still grows, in pieces that stay as they are: only the last one changes with what comes.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const PERHAPS = /^ {0,3}([-*+]|\d{1,9}[.)]?)?$/; // the text's end, that may become an item
const ITEM = /^ {0,3}([-*+]|\d{1,9}[.)])\s/;

/** At empty lines outside of code, but not within a list. Together they are the text. */
export function blocks(text: string): string[] {
  const found: string[] = [];
  let lines: string[] = [];
  let fence = "";
  let inList = false;
  let empty = false;
  for (const line of text.split(/(?<=\n)/)) {
    const bare = line.trim() === "";
    if (empty && !bare && !fence && !(inList && (ITEM.test(line) || PERHAPS.test(line) || /^(\s{2,}|\t)/.test(line)))) {
      found.push(lines.join(""));
      lines = [];
      inList = false;
    }
    if (lines.length === 0) inList = ITEM.test(line);
    const [, marks] = FENCE.exec(line) ?? [];
    if (marks && !fence) fence = marks;
    else if (marks && fence && marks[0] === fence[0] && marks.length >= fence.length && line.trim() === marks) fence = "";
    lines.push(line);
    empty = bare;
  }
  if (lines.length) found.push(lines.join(""));
  return found;
}
