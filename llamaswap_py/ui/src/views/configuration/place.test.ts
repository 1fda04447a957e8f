import { expect, test } from "vitest";
import { keyAt, placeAt, siblings } from "./place";
import { keysOf, kindOf, under, wordsOf, type Schema } from "./schema";

const TEXT = `\
startPort: 5800
models:
  qwen:
    cmd: |
      llama-server --port
      # no key: here
    ttl: 5
    aliases:
    - one
    - tw
    filters:
      setParams: {}

  "a b":
    un
groups:
  g:
    members: [qwen]
peers:
  - name: x
    proxy: y
`.split("\n");

function at(mark: string, shift = 0) {
  const line = TEXT.findIndex((text) => text.includes(mark));
  return placeAt(TEXT, line, TEXT[line]!.indexOf(mark) + mark.length + shift);
}

test("a place is known by its indentation", () => {
  expect(at("startPor")).toMatchObject({ path: [], part: "key", word: "startPor", from: 0 });
  expect(at("ttl: 5")).toMatchObject({ path: ["models", "qwen"], part: "value", key: "ttl", word: "5" });
  expect(at("    un")).toMatchObject({ path: ["models", "a b"], part: "key", word: "un", from: 4 });
  expect(at("setPar")).toMatchObject({ path: ["models", "qwen", "filters"], part: "key" });
  expect(at("- tw")).toMatchObject({ path: ["models", "qwen", "aliases", "-"], part: "value", key: "", word: "tw" });
  expect(at("    proxy: y")).toMatchObject({ path: ["peers", "-"], part: "value", key: "proxy" });
  expect(at("llama-server --port")).toMatchObject({ part: "text", path: ["models", "qwen", "cmd"] });
  expect(at("no key: here")).toMatchObject({ part: "text" });
});

test("an empty line is in the section that its indentation says", () => {
  const line = TEXT.indexOf("");
  expect(placeAt([...TEXT.slice(0, line), "    ", ...TEXT.slice(line)], line, 4)).toMatchObject({ path: ["models", "qwen"], part: "key", word: "" });
  expect(placeAt([...TEXT.slice(0, line), "  ", ...TEXT.slice(line)], line, 2)).toMatchObject({ path: ["models"], part: "key" });
});

test("a key is found under the pointer", () => {
  const line = TEXT.findIndex((text) => text.includes("setParams"));
  expect(keyAt(TEXT, line, 8)).toEqual({ path: ["models", "qwen", "filters", "setParams"], from: 6, to: 15 });
  expect(keyAt(TEXT, line, 20)).toBeUndefined();
  expect(keyAt(TEXT, 4, 8)).toBeUndefined();
});

test("what is set already is known", () => {
  expect(siblings(TEXT, TEXT.findIndex((text) => text.includes("ttl")))).toEqual(["cmd", "aliases", "filters"]);
});

const SCHEMA: Schema = {
  properties: {
    models: {
      type: ["object", "null"],
      additionalProperties: {
        properties: {
          cmd: { type: ["string", "number", "boolean", "null"], description: "The command." },
          pin: { type: ["boolean", "string", "null"] },
          aliases: { type: ["array", "null"], items: { type: ["string"] } },
        },
      },
    },
    logLevel: { type: ["string", "null"], examples: ["debug", "info"] },
    healthCheckTimeout: { anyOf: [{ type: ["integer", "null"] }, { type: "string" }] },
    "x-free": true,
  },
};

test("the schema says what may stand there", () => {
  expect(keysOf(under(SCHEMA, ["models", "any"])).map(({ name, kind, opens }) => [name, kind, opens])).toEqual([
    ["cmd", "text", "value"],
    ["pin", "true | false", "value"],
    ["aliases", "list", "list"],
  ]);
  expect(under(SCHEMA, ["nothing", "here"])).toBeUndefined();
  expect(wordsOf(under(SCHEMA, ["logLevel"]))).toEqual(["debug", "info"]);
  expect(wordsOf(under(SCHEMA, ["models", "m", "pin"]))).toEqual(["true", "false"]);
  expect(wordsOf(under(SCHEMA, ["models", "m", "cmd"]))).toEqual([]);
  expect(kindOf(under(SCHEMA, ["healthCheckTimeout"])!)).toBe("number");
});
