// A question to a model, and its answer as it comes.

import { ask, Refused } from "../../lib/ask";
import { end, fail, grow, type Answer, type Chunk } from "./answer";
import { EventReader } from "./sse";

/** Reads until the end, and never throws: what went wrong stands in the answer. */
export async function converse(body: unknown, answer: Answer, signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  const at = () => Math.round(performance.now() - begun);
  let complete = false;
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await ask("v1/chat/completions", { method: "POST", body: JSON.stringify(body), headers, signal });
    if (response.headers.get("Content-Type")?.includes("json")) {
      grow(answer, (await response.json()) as Chunk, at());
      complete = true;
    } else complete = await follow(response, answer, at);
  } catch (error) {
    if (signal.aborted) answer.stage = "stopped";
    else if (error instanceof Refused) fail(answer, { message: error.message, code: error.code, status: error.status });
    else fail(answer, { message: "The connection broke in the middle of the answer.", code: "broken", status: 0 });
  }
  end(answer, complete, at());
}

const DRAW_MS = 30; // what comes within is one change of the page

/** True where the stream said that it is over. */
async function follow(response: Response, answer: Answer, at: () => number): Promise<boolean> {
  const events = new EventReader();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let complete = false;
  const held: { data: string; when: number }[] = [];
  let due: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    due = undefined;
    for (const { data, when } of held.splice(0)) {
      if (data === "[DONE]") complete = true;
      else grow(answer, read(data), when);
    }
  };
  const take = (found: string[]) => {
    for (const data of found) held.push({ data, when: at() });
    if (held.length) due ??= setTimeout(draw, DRAW_MS);
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      take(done ? events.end() : events.take(value));
      if (done) break;
    }
  } finally {
    clearTimeout(due);
    draw();
  }
  return complete;
}

function read(data: string): Chunk {
  try {
    return JSON.parse(data) as Chunk;
  } catch {
    return {};
  }
}
