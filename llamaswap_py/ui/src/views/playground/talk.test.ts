import { describe, expect, it } from "vitest";
import { fresh } from "./answer";
import { content, exported, fenced, messages, PLAIN, readable, request, titleOf, type Talk, type Turn } from "./talk";
import { likeness, length, table } from "./vectors";

function answered(model: string, said: string) {
  return { ...fresh(`${model} ${said}`, model), said, stage: "done" as const };
}

const turn = (id: string, text: string, ...columns: [string, string[]][]): Turn => ({
  id,
  text,
  attachments: [],
  columns: columns.map(([model, said]) => ({ model, answers: said.map((each) => answered(model, each)), at: said.length - 1 })),
});

function talk(...turns: Turn[]): Talk {
  return { id: "t", title: "T", named: false, changed: 0, models: [], settings: { ...PLAIN }, turns };
}

describe("a conversation", () => {
  it("is sent to each model with its own answers, and without thinking", () => {
    const said = talk(turn("1", "hello", ["a", ["<think>hm</think>old", "from a"]], ["b", ["from b"]]), turn("2", "again"));
    expect(messages(said, 1, "b").map((each) => each.content)).toEqual(["hello", "from b", "again"]);
    expect(messages(said, 1, "a").map((each) => each.content)).toEqual(["hello", "from a", "again"]);
    expect(messages(said, 1, "new").map((each) => each.content)).toEqual(["hello", "from a", "again"]);
    said.turns[0]!.columns[0]!.at = 0;
    expect(messages(said, 1, "a")[1]).toEqual({ role: "assistant", content: "old" });
    expect(messages(said, 0, "a")).toEqual([{ role: "user", content: "hello" }]);
  });

  it("sends only the settings that somebody made", () => {
    const plain = talk(turn("1", "hello"));
    expect(Object.keys(request(plain, 0, "a")).sort()).toEqual(["messages", "model", "stream", "stream_options"]);
    plain.settings = { system: "Be brief", temperature: 0, stop: "END\n\n###", thinking: false, more: '{"mirostat": 2, "model": "b"}' };
    expect(request(plain, 0, "a")).toMatchObject({
      temperature: 0,
      stop: ["END", "###"],
      chat_template_kwargs: { enable_thinking: false },
      mirostat: 2,
      messages: [{ role: "system", content: "Be brief" }, { role: "user", content: "hello" }],
    });
  });

  it("knows what of a request can be read", () => {
    expect(["", "{}", '{"a": 1}'].map(readable)).toEqual([true, true, true]);
    expect(["{", "[1]", "3", '"a"'].map(readable)).toEqual([false, false, false, false]);
  });

  it("carries files: text in a fence, images and audio as parts", () => {
    const with_ = turn("1", "look");
    with_.attachments = [
      { id: "1", kind: "text", name: "a.md", content: "```\ncode\n```\n", size: 1 },
      { id: "2", kind: "image", name: "b.png", content: "data:image/png;base64,QQ==", size: 1 },
      { id: "3", kind: "audio", name: "c.mp3", content: "data:audio/mpeg;base64,QUJD", size: 1 },
    ];
    expect(content(with_)).toEqual([
      { type: "text", text: "a.md:\n\n````\n```\ncode\n```\n````\n\nlook" },
      { type: "image_url", image_url: { url: "data:image/png;base64,QQ==" } },
      { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
    ]);
    expect(content(turn("1", "plain"))).toBe("plain");
    expect(fenced("no ticks")).toBe("```\nno ticks\n```");
  });

  it("has a title and a file", () => {
    expect(titleOf("  \n")).toBe("New conversation");
    expect(titleOf("first line\nsecond")).toBe("first line");
    expect(titleOf("x".repeat(90))).toHaveLength(58);
    const said = talk(turn("1", "hello", ["a", ["hi"]]));
    said.settings.system = "Be brief";
    expect(exported(said)).toBe("# T\n\n**System**\n\nBe brief\n\n**You**\n\nhello\n\n**a**\n\nhi\n");
  });
});

describe("vectors", () => {
  it("are alike by their direction", () => {
    expect(length([3, 4])).toBe(5);
    expect(likeness([1, 0], [2, 0])).toBe(1);
    expect(likeness([1, 0], [0, 1])).toBe(0);
    expect(likeness([0, 0], [1, 1])).toBe(0);
    expect(table([[1, 0], [0, 2]])).toEqual([[1, 0], [0, 1]]);
  });
});
