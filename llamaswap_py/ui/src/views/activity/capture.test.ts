import { expect, test } from "vitest";
import { conversation, pretty, sizeOf, textOf } from "./capture";

const turns = (request: unknown, answer: unknown) => {
  const found = conversation(JSON.stringify(request), typeof answer === "string" ? answer : JSON.stringify(answer));
  const flat = (list: { role: string; parts: { kind: string; text: string; name?: string }[] }[]) =>
    list.map((turn) => [turn.role, ...turn.parts.map((part) => `${part.kind}${part.name ? ` ${part.name}` : ""}: ${part.text}`)]);
  return found && [flat(found.asked), flat(found.answered)];
};
const stream = (...events: unknown[]) => [...events.map((event) => `data: ${JSON.stringify(event)}`), "data: [DONE]", ""].join("\n\n");
const user = { messages: [{ role: "user", content: "hi" }] };

test("OpenAI, whole and with a tool", () => {
  const answer = {
    choices: [{ message: { role: "assistant", reasoning_content: "hm", content: "yes", tool_calls: [{ function: { name: "f", arguments: '{"a":1}' } }] } }],
  };
  expect(turns(user, answer)).toEqual([[["user", "text: hi"]], [["assistant", "thinking: hm", "text: yes", 'call f: {"a":1}']]]);
});

test("OpenAI, as a stream", () => {
  const delta = (each: object) => ({ choices: [{ delta: each }] });
  const call = (each: object) => delta({ tool_calls: [{ function: each }] });
  const answer = stream(
    delta({ role: "assistant", content: null }),
    delta({ reasoning_content: "h" }),
    delta({ reasoning_content: "m" }),
    delta({ content: "hel" }),
    delta({ content: "lo <b>" }),
    call({ name: "f", arguments: "" }),
    call({ arguments: '{"a"' }),
    call({ arguments: ":1}" }),
    { choices: [], usage: {} },
  );
  expect(turns(user, answer)![1]).toEqual([["assistant", "thinking: hm", "text: hello <b>", 'call f: {"a":1}']]);
});

test("a stream that broke tells why", () => {
  const answer = stream({ choices: [{ delta: { content: "hel" } }] }, { error: { message: "the server died" } });
  expect(turns(user, answer)![1]).toEqual([["assistant", "text: hel", "note: the server died"]]);
});

test("Anthropic, with a system prompt, a picture and a tool's result; whole and as a stream", () => {
  const request = {
    system: [{ type: "text", text: "be brief" }],
    messages: [
      { role: "user", content: [{ type: "text", text: "see" }, { type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } }] },
      { role: "assistant", content: [{ type: "tool_use", name: "look", input: { at: 1 } }] },
      { role: "user", content: [{ type: "tool_result", content: [{ type: "text", text: "a cat" }] }] },
    ],
  };
  const asked = [
    ["system", "text: be brief"],
    ["user", "text: see", "image: data:image/png;base64,AA=="],
    ["assistant", 'call look: {"at":1}'],
    ["user", "result: a cat"],
  ];
  expect(turns(request, { type: "message", content: [{ type: "text", text: "Cat." }] })).toEqual([asked, [["assistant", "text: Cat."]]]);
  const events = stream(
    { type: "message_start", message: {} },
    { type: "content_block_delta", delta: { type: "thinking_delta", thinking: "…" } },
    { type: "content_block_delta", delta: { type: "text_delta", text: "Ca" } },
    { type: "content_block_delta", delta: { type: "text_delta", text: "t." } },
    { type: "content_block_start", content_block: { type: "tool_use", name: "f" } },
    { type: "content_block_delta", delta: { type: "input_json_delta", partial_json: "{}" } },
  );
  expect(turns(request, events)![1]).toEqual([["assistant", "thinking: …", "text: Cat.", "call f: {}"]]);
});

test("Responses, with instructions and calls; whole and as a stream", () => {
  const request = { instructions: "be brief", input: [{ role: "user", content: [{ type: "input_text", text: "go" }] }, { type: "function_call_output", output: "42" }] };
  const asked = [["system", "text: be brief"], ["user", "text: go"], ["tool", "result: 42"]];
  const whole = { output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "done" }] }, { type: "function_call", name: "f", arguments: "{}" }] };
  expect(turns(request, whole)).toEqual([asked, [["assistant", "text: done"], ["assistant", "call f: {}"]]]);
  const events = stream(
    { type: "response.output_text.delta", delta: "do" },
    { type: "response.output_text.delta", delta: "ne" },
    { type: "response.output_item.added", item: { type: "function_call", name: "f" } },
    { type: "response.function_call_arguments.delta", delta: "{}" },
  );
  expect(turns({ input: "go", instructions: "x" }, events)![1]).toEqual([["assistant", "text: done", "call f: {}"]]);
});

test("completions, those of llama-server too", () => {
  expect(turns({ prompt: "once" }, { choices: [{ text: " upon" }] })).toEqual([[["user", "text: once"]], [["assistant", "text:  upon"]]]);
  expect(turns({ prompt: "once" }, stream({ content: " up" }, { content: "on" }))![1]).toEqual([["assistant", "text:  upon"]]);
});

test("a refusal is an answer, too", () => {
  expect(turns(user, { error: { message: "no model" } })![1]).toEqual([["error", "note: no model"]]);
});

test("a picture from elsewhere is not drawn, and what is not known is named", () => {
  const content = [{ type: "image_url", image_url: { url: "https://elsewhere/x.png" } }, { type: "image_url", image_url: { url: "data:image/svg+xml;base64,AA" } }, { type: "input_audio" }];
  expect(turns({ messages: [{ role: "user", content }] }, {})![0]).toEqual([
    ["user", "note: image at https://elsewhere/x.png", "note: image at data:image/svg+xml;base64,AA", "note: input_audio (22 characters)"],
  ]);
});

test.each([[{ input: ["a", "b"] }], [{ query: "q", documents: [] }], [{ input: "text", encoding_format: "float" }], ["no object"]])(
  "%j is no conversation",
  (request) => expect(turns(request, {})).toBe(null),
);

test("bodies", () => {
  expect([textOf(btoa("plain")), textOf("/w=="), textOf(null), sizeOf("/w=="), sizeOf(null), sizeOf("YWI=")]).toEqual(["plain", null, null, 1, 0, 2]);
  expect([pretty('{"a":[1]}'), pretty("data: x")]).toEqual(['{\n  "a": [\n    1\n  ]\n}', "data: x"]);
});
