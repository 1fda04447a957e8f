// How bad what a line says is, as far as it says so itself: servers write that in many ways.

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

const HEAD = 160; // characters: behind them stands what was said, not how bad it is

const LETTER: Record<string, Level> = { D: "debug", I: "info", W: "warn", E: "error" };
const WORD: Record<string, Level> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  err: "error",
  fatal: "error",
  critical: "error",
  panic: "error",
};

// [INFO] of ours; "level":"info" and level=info; 0.00.379.132 I slot of llama.cpp; INFO 07-12 … and WARNING:root: of Python
const NAMED = /^\S{0,32} ?\[(trace|debug|info|notice|warn|warning|error|err|fatal|critical)\]/i;
const FIELD = /"?\b(?:level|severity|lvl)"?\s*[:=]\s*"?(trace|debug|info|notice|warn|warning|error|err|fatal|critical|panic)\b/i;
const INITIAL = /^[\d.:]+ ([DIWE]) /;
const SHOUTED = /\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC)\b/;
const SAID = /\b(warning|error|fatal|panic):/i;
const RAISED = /^(Traceback \(most recent call last\)|[\w.]*(Error|Exception)(:|$))/;

/** Null where the line does not say. */
export function levelOf(text: string): Level | null {
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  const initial = INITIAL.exec(head);
  if (initial) return LETTER[initial[1]!]!;
  const word = (NAMED.exec(head) ?? FIELD.exec(head) ?? SHOUTED.exec(head) ?? SAID.exec(head))?.[1];
  if (word) return WORD[word.toLowerCase()]!;
  return RAISED.test(head) ? "error" : null;
}

/** A line that is set in belongs to the one before it. */
export function levelAfter(before: Level, text: string): Level {
  return levelOf(text) ?? (/^[ \t]+\S/.test(text) ? before : "info");
}

export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
