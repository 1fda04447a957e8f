// What a request asked and got, made readable: the conversation of a chat, whatever API it went by; else text as it is.

export interface Part {
  kind: "text" | "thinking" | "image" | "call" | "result" | "note";
  text: string;
  /** Of a call: the function. */
  name?: string;
}

export interface Turn {
  role: string;
  parts: Part[];
}

type Json = Record<string, unknown>;

/** Base64 to text; null where it is none. */
export function textOf(body: string | null): string | null {
  if (body === null) return null;
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function sizeOf(body: string | null): number {
  return body === null ? 0 : Math.floor((body.length * 3) / 4) - (body.endsWith("==") ? 2 : body.endsWith("=") ? 1 : 0);
}

/** JSON set out over lines; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The conversation that was asked to go on, and how it went on. Null where it was none. */
export function conversation(request: string | null, answer: string | null): { asked: Turn[]; answered: Turn[] } | null {
  const body = object(parsed(request));
  if (!body) return null;
  const asked = askedTurns(body);
  return asked.length ? { asked, answered: answer ? answeredTurns(answer) : [] } : null;
}

function askedTurns(body: Json): Turn[] {
  const turns: Turn[] = [];
  for (const name of ["system", "instructions"]) {
    if (body[name]) turns.push({ role: "system", parts: contentParts(body[name]) });
  }
  const listed = list(body.messages) ?? list(body.input);
  for (const each of listed ?? []) {
    const message = object(each);
    if (message) turns.push(turnOf(message));
  }
  if (!body.messages && typeof body.input === "string" && !("encoding_format" in body)) turns.push(said("user", body.input));
  if (typeof body.prompt === "string") turns.push(said("user", body.prompt));
  const isChat = body.messages !== undefined || body.prompt !== undefined || listed?.some((each) => object(each));
  return isChat || body.instructions ? turns.filter((turn) => turn.parts.length) : [];
}

function turnOf(message: Json): Turn {
  if (message.type === "function_call") return { role: "assistant", parts: [call(message.name, message.arguments)] };
  if (message.type === "function_call_output") return { role: "tool", parts: [{ kind: "result", text: written(message.output) }] };
  const parts: Part[] = [];
  for (const name of ["reasoning_content", "reasoning", "thinking"]) {
    if (typeof message[name] === "string" && message[name]) parts.push({ kind: "thinking", text: message[name] });
  }
  parts.push(...contentParts(message.content));
  for (const each of list(message.tool_calls) ?? []) {
    const asked = object(object(each)?.function);
    if (asked) parts.push(call(asked.name, asked.arguments));
  }
  return { role: String(message.role ?? "user"), parts };
}

function contentParts(content: unknown): Part[] {
  if (typeof content === "string") return content ? [{ kind: "text", text: content }] : [];
  return (list(content) ?? []).map((each) => partOf(object(each) ?? {}));
}

function partOf(part: Json): Part {
  const source = object(part.source);
  const image = object(part.image_url)?.url ?? part.image_url;
  switch (part.type) {
    case "text":
    case "input_text":
    case "output_text":
      return { kind: "text", text: String(part.text ?? "") };
    case "thinking":
      return { kind: "thinking", text: String(part.thinking ?? "") };
    case "image_url":
    case "input_image":
      return picture(String(image ?? ""));
    case "image":
      return source?.type === "base64" ? picture(`data:${String(source.media_type)};base64,${String(source.data)}`) : note(`image at ${String(source?.url ?? "?")}`);
    case "tool_use":
      return call(part.name, part.input);
    case "tool_result":
      return { kind: "result", text: typeof part.content === "string" ? part.content : contentParts(part.content).map((each) => each.text).join("\n") };
    default:
      return note(`${String(part.type ?? "something else")} (${JSON.stringify(part).length.toLocaleString("en")} characters)`);
  }
}

/** Only what the request itself brought along is drawn: the page asks no other host. */
function picture(address: string): Part {
  return /^data:image\/(png|jpe?g|gif|webp);base64,/.test(address) ? { kind: "image", text: address } : note(`image at ${address.slice(0, 200)}`);
}

// ---- answers: one JSON, or a stream of them

function answeredTurns(answer: string): Turn[] {
  const whole = object(parsed(answer));
  if (whole) return wholeTurns(whole);
  const events = eventsOf(answer);
  return events.length ? streamedTurns(events) : [];
}

function wholeTurns(body: Json): Turn[] {
  const turns: Turn[] = [];
  for (const each of list(body.choices) ?? []) {
    const choice = object(each) ?? {};
    const message = object(choice.message);
    turns.push(message ? turnOf({ role: "assistant", ...message }) : said("assistant", String(choice.text ?? "")));
  }
  if (body.type === "message") turns.push({ role: "assistant", parts: contentParts(body.content) });
  for (const each of list(body.output) ?? []) turns.push(turnOf({ role: "assistant", ...object(each) }));
  if (typeof body.content === "string" && body.choices === undefined) turns.push(said("assistant", body.content));
  const error = object(body.error);
  if (error) turns.push({ role: "error", parts: [note(String(error.message ?? JSON.stringify(error)))] });
  return turns.filter((turn) => turn.parts.length);
}

function eventsOf(text: string): Json[] {
  const found: Json[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith("data:")) continue;
    const data = object(parsed(line.slice(5)));
    if (data) found.push(data);
  }
  return found;
}

/** Pieces of one answer put together, in the order in which they came. */
function streamedTurns(events: readonly Json[]): Turn[] {
  const parts: Part[] = [];
  const add = (kind: Part["kind"], text: unknown, name?: string) => {
    if (typeof text !== "string" || (!text && name === undefined)) return;
    const last = parts.at(-1);
    if (last && last.kind === kind && name === undefined) last.text += text;
    else parts.push({ kind, text, ...(name === undefined ? {} : { name }) });
  };
  for (const event of events) {
    const choice = object(list(event.choices)?.[0]);
    const delta = object(choice?.delta) ?? object(event.delta);
    add("thinking", delta?.reasoning_content ?? delta?.reasoning ?? delta?.thinking);
    add("text", delta?.content ?? delta?.text ?? choice?.text ?? (event.type === "response.output_text.delta" ? event.delta : undefined));
    if (!event.type && typeof event.content === "string") add("text", event.content);
    for (const each of list(delta?.tool_calls) ?? []) {
      const asked = object(object(each)?.function);
      add("call", asked?.arguments ?? "", typeof asked?.name === "string" ? asked.name : undefined);
    }
    const block = object(event.content_block);
    if (block?.type === "tool_use") add("call", "", String(block.name));
    add("call", delta?.partial_json);
    const item = object(event.item);
    if (event.type === "response.output_item.added" && item?.type === "function_call") add("call", "", String(item.name));
    if (event.type === "response.function_call_arguments.delta") add("call", event.delta);
    const error = object(event.error);
    if (error) parts.push(note(String(error.message ?? JSON.stringify(error))));
  }
  return parts.length ? [{ role: "assistant", parts }] : [];
}

// ---- small things

const said = (role: string, text: string): Turn => ({ role, parts: text ? [{ kind: "text", text }] : [] });
const note = (text: string): Part => ({ kind: "note", text });
const call = (name: unknown, given: unknown): Part => ({ kind: "call", name: String(name ?? "?"), text: written(given) });
const written = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? {}));
const list = (value: unknown): unknown[] | undefined => (Array.isArray(value) ? value : undefined);

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
