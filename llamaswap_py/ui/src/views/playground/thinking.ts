// A model's thinking apart from its answer, also where the server leaves the two in one text.

export interface Parted {
  thinking: string;
  text: string;
  /** It has begun and not ended. */
  open: boolean;
}

const PAIRS: [string, string][] = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["[THINK]", "[/THINK]"],
  ["<seed:think>", "</seed:think>"],
];

/** `whole`: no more comes, so that the beginning of a mark is none. */
export function parted(said: string, whole: boolean): Parted {
  const lead = said.trimStart();
  if (!whole && lead && PAIRS.some(([open]) => open !== lead && open.startsWith(lead))) return { thinking: "", text: "", open: false };
  for (const [open, close] of PAIRS) {
    if (!lead.startsWith(open)) continue;
    const inner = lead.slice(open.length);
    const end = inner.indexOf(close);
    if (end >= 0) return { thinking: inner.slice(0, end).trim(), text: inner.slice(end + close.length).trimStart(), open: false };
    return { thinking: (whole ? inner : inner.slice(0, inner.length - overlap(inner, close))).trim(), text: "", open: !whole };
  }
  // Some templates open the thinking in the prompt, so that only its end is seen.
  const end = said.indexOf("</think>");
  if (end >= 0 && !said.slice(0, end).includes("<think>")) {
    return { thinking: said.slice(0, end).trim(), text: said.slice(end + "</think>".length).trimStart(), open: false };
  }
  return { thinking: "", text: said, open: false };
}

/** How much of the text's end may be the beginning of the mark. */
function overlap(text: string, mark: string): number {
  for (let size = Math.min(text.length, mark.length - 1); size > 0; size--) if (mark.startsWith(text.slice(-size))) return size;
  return 0;
}

const BAR = /^━{5,}\n[\s\S]*?━{5,}\n*/;

/** Without the news of the loading that `sendLoadingState` puts there; the page has its own. */
export function withoutNews(thinking: string): string {
  if (!thinking.startsWith("━━━━━")) return thinking;
  return BAR.test(thinking) ? thinking.replace(BAR, "") : "";
}
