// A conversation as it is kept: turns, each with what was asked and the answers of one model or of several.

import { shown, type Answer } from "./answer";

export interface Attachment {
  id: string;
  kind: "image" | "audio" | "text";
  name: string;
  /** A data: address; of a text file its text. */
  content: string;
  size: number;
}

export interface Turn {
  id: string;
  text: string;
  attachments: Attachment[];
  /** By column: all that was answered there, the latest last. */
  columns: Column[];
}

export interface Column {
  model: string;
  answers: Answer[];
  /** Which of them is shown and counts for what follows. */
  at: number;
}

export interface Settings {
  system: string;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  max_tokens?: number;
  repeat_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  seed?: number;
  thinking?: boolean;
  stop: string;
  /** JSON that is added to the request as it is. */
  more: string;
}

export interface Talk {
  id: string;
  title: string;
  /** The person gave it. */
  named: boolean;
  changed: number;
  models: string[];
  settings: Settings;
  turns: Turn[];
}

export const PLAIN: Settings = { system: "", stop: "", more: "" };
export const NUMBERS = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "max_tokens",
  "repeat_penalty",
  "presence_penalty",
  "frequency_penalty",
  "seed",
] as const;

type Part = Record<string, unknown>;
export interface Said {
  role: "system" | "user" | "assistant";
  content: string | Part[];
}

/** What a model is sent when it is to answer the turn `upto`: its own answers before, or where it gave none another's. */
export function messages(talk: Talk, upto: number, model: string): Said[] {
  const said: Said[] = talk.settings.system.trim() ? [{ role: "system", content: talk.settings.system }] : [];
  talk.turns.slice(0, upto + 1).forEach((turn, index) => {
    said.push({ role: "user", content: content(turn) });
    if (index === upto) return;
    const column = turn.columns.find((each) => each.model === model) ?? turn.columns[0];
    const answer = column?.answers[column.at];
    if (answer) said.push({ role: "assistant", content: shown(answer).text });
  });
  return said;
}

export function content(turn: Turn): string | Part[] {
  const files = turn.attachments.filter((each) => each.kind === "text").map((each) => `${each.name}:\n\n${fenced(each.content)}\n\n`);
  const text = files.join("") + turn.text;
  const others = turn.attachments.filter((each) => each.kind !== "text");
  if (!others.length) return text;
  return [...(text ? [{ type: "text", text }] : []), ...others.map(part)];
}

function part({ kind, content, name }: Attachment): Part {
  if (kind === "image") return { type: "image_url", image_url: { url: content } };
  const format = /\.mp3$/i.test(name) || content.startsWith("data:audio/mp") ? "mp3" : "wav";
  return { type: "input_audio", input_audio: { data: content.slice(content.indexOf(",") + 1), format } };
}

/** In a fence longer than any within. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.replace(/\n$/, "")}\n${fence}`;
}

export function request(talk: Talk, upto: number, model: string): Record<string, unknown> {
  const { settings } = talk;
  const body: Record<string, unknown> = { model, messages: messages(talk, upto, model), stream: true, stream_options: { include_usage: true } };
  for (const name of NUMBERS) if (settings[name] !== undefined) body[name] = settings[name];
  const stop = settings.stop.split("\n").filter(Boolean);
  if (stop.length) body.stop = stop;
  if (settings.thinking !== undefined) body.chat_template_kwargs = { enable_thinking: settings.thinking };
  return { ...body, ...more(settings.more) };
}

/** `more` as it is sent; what cannot be read counts as nothing, and the form says so. */
export function more(text: string): Record<string, unknown> {
  try {
    const read = JSON.parse(text) as unknown;
    return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function readable(text: string): boolean {
  return !text.trim() || /^\s*\{\s*\}\s*$/.test(text) || Object.keys(more(text)).length > 0;
}

export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0]!.trim();
  if (!line) return "New conversation";
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line;
}

/** For a file: what was said, as Markdown. */
export function exported(talk: Talk): string {
  const parts = [`# ${talk.title}`];
  if (talk.settings.system.trim()) parts.push(`**System**\n\n${talk.settings.system}`);
  for (const turn of talk.turns) {
    const names = turn.attachments.map((each) => each.name);
    parts.push(`**You**${names.length ? ` (with ${names.join(", ")})` : ""}\n\n${turn.text}`);
    for (const column of turn.columns) {
      const answer = column.answers[column.at];
      if (answer) parts.push(`**${answer.model}**\n\n${shown(answer).text}`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}
