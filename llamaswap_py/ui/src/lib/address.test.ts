import { describe, expect, test } from "vitest";
import { hashOf, inPath, placeOf, rootOf } from "./address";

describe("the root of the API", () => {
  test.each([
    ["http://box:8080/ui/", "http://box:8080/"],
    ["http://box:8080/ui/#/logs/qwen?level=warn", "http://box:8080/"],
    ["https://box/llama/ui/", "https://box/llama/"],
    ["https://box/ui/ui/index.html?x=1", "https://box/"],
    ["http://localhost:5173/", "http://localhost:5173/"],
  ])("of %s", (page, root) => expect(rootOf(page).href).toBe(root));
});

test("a model's id keeps its slashes and nothing else that would end a path", () => {
  expect(inPath("lab/qwen 3?#%")).toBe("lab/qwen%203%3F%23%25");
});

describe("a place behind the #", () => {
  test("is read", () => {
    const place = placeOf("#/logs/lab/qwen%203?level=warn");
    expect([place.view, place.rest, place.options.get("level")]).toEqual(["logs", "lab/qwen 3", "warn"]);
  });
  test("is the first view where nothing is said", () => expect(placeOf("").view).toBe(""));
  test("survives what is no encoding", () => expect(placeOf("#/logs/50%").rest).toBe("50%"));
  test.each(["qwen", "lab/qwen 3", "50%", "a?b#c", "ü/ /é"])("comes back as it was written: %s", (rest) =>
    expect(placeOf(hashOf("models", rest, { q: "a&b=c", none: "" }))).toMatchObject({ view: "models", rest }),
  );
  test("leaves out options that say nothing", () => expect(hashOf("logs", "", { q: "" })).toBe("#/logs"));
});
