import { expect, test } from "vitest";
import { refusalFrom } from "./ask";

test("a refusal of ours keeps its sentence, its code and when to try again", () => {
  const body = JSON.stringify({ src: "llama-swap", error: { message: "no such model", code: "model_not_found" } });
  const refused = refusalFrom(404, "Not Found", body, "3");
  expect([refused.message, refused.code, refused.status, refused.retryAfter]).toEqual(["no such model", "model_not_found", 404, 3]);
});

test.each(["", "<html>", "{}", '{"error": "text"}'])("an answer that is none of ours is told by its status: %s", (body) => {
  expect(refusalFrom(502, "Bad Gateway", body, null).message).toBe("The server answered 502 Bad Gateway");
});
