import { describe, expect, it } from "vitest";
import { end, fail, fresh, grow, isOpen, remedy, shown, type Answer, type Chunk } from "./answer";
import { EventReader } from "./sse";
import { parted, withoutNews } from "./thinking";

const says = (content: string): Chunk => ({ choices: [{ delta: { content } }] });
const begun = (): Answer => fresh("1", "qwen");

describe("events", () => {
  const stream = 'data: {"a":1}\n\n: a comment\n\ndata:two\ndata: lines\r\n\r\nevent: error\ndata: {"error":1}\n\ndata: [DONE]\n\n';
  const wanted = ['{"a":1}', "two\nlines", '{"error":1}', "[DONE]"];

  it("are the same however they are cut", () => {
    for (let size = 1; size <= stream.length; size++) {
      const reader = new EventReader();
      const found: string[] = [];
      for (let at = 0; at < stream.length; at += size) found.push(...reader.take(stream.slice(at, at + size)));
      expect([...found, ...reader.end()]).toEqual(wanted);
    }
  });

  it("end also without an empty line", () => {
    const reader = new EventReader();
    expect(reader.take("data: last")).toEqual([]);
    expect(reader.end()).toEqual(["last"]);
  });
});

describe("thinking", () => {
  it.each([
    ["<think>why</think>so", "why", "so"],
    ["\n<thinking>\nwhy\n</thinking>\n\nso", "why", "so"],
    ["[THINK]why[/THINK]so", "why", "so"],
    ["why</think>so", "why", "so"],
    ["a <think> in the middle", "", "a <think> in the middle"],
    ["plain", "", "plain"],
    ["<think>never ends", "never ends", ""],
  ])("%j", (said, thinking, text) => {
    expect(parted(said, true)).toEqual({ thinking, text, open: false });
  });

  it("never shows a part of a mark, nor takes back text while it comes", () => {
    const said = "<think>why not</think>so be it";
    for (let size = 0; size <= said.length; size++) {
      const { thinking, text } = parted(said.slice(0, size), false);
      expect("why not".startsWith(thinking)).toBe(true);
      expect("so be it".startsWith(text)).toBe(true);
    }
  });

  it("has no news of the loading in it", () => {
    const news = "━━━━━\nllama-swap loading model: qwen\n....\nDone! (1.20s)\n━━━━━\n \n";
    expect(withoutNews(`${news}why`).trim()).toBe("why");
    expect(withoutNews(news.slice(0, 40))).toBe("");
    const answer = begun();
    grow(answer, { choices: [{ delta: { reasoning_content: news } }] }, 5);
    expect(answer.stage).toBe("waiting");
    grow(answer, says("hello"), 40);
    expect([answer.stage, answer.figures.first, shown(answer).thinking]).toEqual(["writing", 40, ""]);
  });
});

describe("an answer", () => {
  it("grows, thinks and is counted", () => {
    const answer = begun();
    grow(answer, { choices: [{ delta: { content: null } }] }, 10);
    expect(answer.stage).toBe("waiting");
    grow(answer, { choices: [{ delta: { reasoning_content: "why" } }] }, 100);
    expect(shown(answer)).toEqual({ thinking: "why", text: "", thinks: true });
    grow(answer, says("so"), 600);
    grow(answer, { choices: [{ delta: {}, finish_reason: "stop" }] }, 1100);
    grow(answer, { choices: [], usage: { prompt_tokens: 7, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 3 } } }, 1100);
    end(answer, true, 1100);
    expect(answer.stage).toBe("done");
    expect(answer.figures).toEqual({ first: 100, thought: 500, input: 7, cached: 3, output: 20, total: 1100, speed: 20 });
  });

  it("believes the server's own speed", () => {
    const answer = begun();
    grow(answer, says("so"), 10);
    grow(answer, { choices: [], timings: { prompt_n: 5, cache_n: 2, predicted_n: 9, predicted_per_second: 33, prompt_per_second: 400 } }, 20);
    end(answer, true, 30);
    expect(answer.figures).toMatchObject({ input: 7, cached: 2, output: 9, speed: 33, promptSpeed: 400 });
  });

  it("that came whole is one piece", () => {
    const answer = begun();
    grow(answer, { choices: [{ message: { content: "so" }, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 2 } }, 50);
    end(answer, true, 50);
    expect([answer.stage, shown(answer).text, answer.figures.output]).toEqual(["done", "so", 2]);
  });

  it("without an end broke off, and what was stopped stays stopped", () => {
    const broken = begun();
    grow(broken, says("so"), 1);
    end(broken, false, 2);
    expect([broken.stage, broken.trouble?.code]).toEqual(["failed", "broken"]);
    const stopped = begun();
    stopped.stage = "stopped";
    end(stopped, false, 2);
    expect([stopped.stage, isOpen(stopped)]).toEqual(["stopped", false]);
  });

  it("tells an error in the middle, and keeps what came before", () => {
    const answer = begun();
    grow(answer, says("so"), 1);
    grow(answer, { error: { message: "out of memory", type: "server_error" } }, 2);
    end(answer, true, 3);
    expect([answer.stage, answer.trouble?.message, shown(answer).text]).toEqual(["failed", "out of memory", "so"]);
    grow(answer, { error: "in words" }, 4);
    expect(answer.trouble?.message).toBe("in words");
  });

  it("says of every trouble what to do", () => {
    for (const code of ["unreachable", "unauthorized", "model_not_found", "model_start_failed", "model_gave_up", "no_room", "broken", "never heard of"]) {
      for (const status of [0, 400, 502]) expect(remedy({ code, status, message: "" })).toMatch(/^[A-Z].+\.$/);
    }
    const answer = begun();
    fail(answer, { message: "m", code: "c", status: 500 });
    expect(isOpen(answer)).toBe(false);
  });
});
