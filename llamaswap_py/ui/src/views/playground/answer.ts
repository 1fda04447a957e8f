// One answer as it grows: pieces of a chat completion in, text, thinking and figures out.

import { parted, withoutNews } from "./thinking";

export type Stage = "waiting" | "writing" | "done" | "stopped" | "failed";

export interface Trouble {
  message: string;
  code: string;
  status: number;
}

/** Times in milliseconds from the sending on; what was not told is missing. */
export interface Figures {
  input?: number;
  cached?: number;
  output?: number;
  /** Tokens a second. */
  speed?: number;
  promptSpeed?: number;
  first?: number;
  total?: number;
  /** Until its model was up, where it was not. */
  waited?: number;
  thought?: number;
  /** Bytes that its processes took at most meanwhile. */
  memory?: number;
}

export interface Answer {
  id: string;
  model: string;
  stage: Stage;
  /** As it came: thinking may still be in it. */
  said: string;
  reasoning: string;
  /** Unix milliseconds; 0: others are asked before. */
  sent: number;
  finish: string;
  figures: Figures;
  trouble?: Trouble;
}

export function fresh(id: string, model: string): Answer {
  return { id, model, stage: "waiting", said: "", reasoning: "", sent: 0, finish: "", figures: {} };
}

export const isOpen = ({ stage }: Answer) => stage === "waiting" || stage === "writing";

interface Delta {
  content?: string | null;
  reasoning_content?: string | null;
  reasoning?: string | null;
}

export interface Chunk {
  choices?: { delta?: Delta; message?: Delta; finish_reason?: string | null }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
  timings?: { cache_n?: number; prompt_n?: number; prompt_per_second?: number; predicted_n?: number; predicted_per_second?: number };
  error?: { message?: string; code?: string | number; type?: string } | string;
}

/** `at`: milliseconds after the sending. */
export function grow(answer: Answer, chunk: Chunk, at: number): void {
  if (chunk.error) {
    const error = typeof chunk.error === "string" ? { message: chunk.error } : chunk.error;
    fail(answer, { message: error.message ?? "The model's server reported an error.", code: String(error.type ?? error.code ?? ""), status: 200 });
    return;
  }
  const choice = chunk.choices?.[0];
  const delta = choice?.delta ?? choice?.message;
  const reasoning = delta?.reasoning_content ?? delta?.reasoning ?? "";
  answer.reasoning += reasoning;
  answer.said += delta?.content ?? "";
  if (choice?.finish_reason) answer.finish = choice.finish_reason;
  count(answer.figures, chunk);
  if ((delta?.content || withoutNews(answer.reasoning).trim()) && answer.stage === "waiting") {
    answer.stage = "writing";
    answer.figures.first = at;
  }
  const { figures } = answer;
  if (figures.thought === undefined && hasThought(answer)) figures.thought = at - (figures.first ?? at);
}

function hasThought(answer: Answer): boolean {
  const { thinking, text } = shown(answer);
  return thinking !== "" && text !== "";
}

function count(figures: Figures, { usage, timings }: Chunk): void {
  if (usage) {
    figures.input = usage.prompt_tokens ?? figures.input;
    figures.output = usage.completion_tokens ?? figures.output;
    figures.cached = usage.prompt_tokens_details?.cached_tokens ?? figures.cached;
  }
  if (!timings) return;
  figures.input ??= sum(timings.prompt_n, timings.cache_n);
  figures.output ??= timings.predicted_n;
  figures.cached ??= timings.cache_n;
  figures.speed = timings.predicted_per_second ?? figures.speed;
  figures.promptSpeed = timings.prompt_per_second ?? figures.promptSpeed;
}

const sum = (one: number | undefined, other: number | undefined) => (one === undefined ? undefined : one + (other ?? 0));

export function fail(answer: Answer, trouble: Trouble): void {
  answer.stage = "failed";
  answer.trouble = trouble;
}

/** The stream is over. `complete`: it said so itself. */
export function end(answer: Answer, complete: boolean, at: number): void {
  const { figures } = answer;
  figures.total = at;
  if (figures.speed === undefined && figures.output && figures.first !== undefined && at > figures.first) {
    figures.speed = (figures.output / (at - figures.first)) * 1000;
  }
  if (!isOpen(answer)) return;
  if (complete || answer.finish) answer.stage = "done";
  else fail(answer, { message: "The answer broke off before its end.", code: "broken", status: 200 });
}

export interface Shown {
  thinking: string;
  text: string;
  /** It thinks just now. */
  thinks: boolean;
}

export function shown(answer: Answer): Shown {
  const { thinking, text, open } = parted(answer.said, !isOpen(answer));
  const reasoning = withoutNews(answer.reasoning);
  const all = [reasoning.trim(), thinking].filter(Boolean).join("\n\n");
  return { thinking: all, text, thinks: isOpen(answer) && (open || (all !== "" && text === "")) };
}

/** What can be done about it: a sentence, and perhaps where. */
export function remedy({ code, status }: Trouble): string {
  switch (code) {
    case "unreachable":
      return "Look whether the server still runs, then ask again.";
    case "unauthorized":
      return "Load the page anew: the browser then asks for the key, which is its password.";
    case "model_not_found":
      return "Choose another model above.";
    case "model_start_failed":
    case "model_start_timeout":
      return "Its log says why: Logs shows what its server said last.";
    case "model_start_backoff":
    case "model_gave_up":
      return "Mend its command in Config, or Reset it in Models, then ask again.";
    case "model_disabled":
      return "Config shows the mistake that disables it.";
    case "concurrency_limit":
    case "queue_full":
    case "queue_timeout":
    case "overloaded":
      return "Others are being served. Ask again in a moment.";
    case "no_room":
      return "Unload or unpin another model in Models, then ask again.";
    case "model_unloaded":
    case "cancelled":
      return "Somebody ended it. Ask again.";
    case "request_too_large":
      return "Take out an attachment, or begin a new conversation.";
    case "exceed_context_size_error":
    case "context_length_exceeded":
      return "Begin a new conversation, or give the model a larger context in Config.";
    case "broken":
      return "Its server ended in the middle; Logs shows why. Regenerate asks again.";
  }
  if (status === 0) return "Ask again.";
  return status >= 500 ? "Logs shows what its server said. Regenerate asks again." : "Change what you ask, or the settings, and send it again.";
}
