import { expect, test } from "vitest";
import { isAtLeast, levelAfter, levelOf } from "./levels";

test.each([
  ["[INFO] qwen: ready after 4.2 s pid=4711", "info"],
  ["2026-03-01T09:30:00 [ERROR] qwen: no memory", "error"],
  ['{"time":"2026","level":"warn","event":"Request"}', "warn"],
  ["time=2026 level=debug msg=hello", "debug"],
  ["0.00.003.778 W srv  llama_server: security", "warn"],
  ["0.00.379.132 I slot print_timing: no error: at all", "info"],
  ["INFO 07-12 12:00:00 [core.py:12] engine", "info"],
  ["WARNING:root:it is late", "warn"],
  ["ggml_cuda: error: out of memory", "error"],
  ["Traceback (most recent call last):", "error"],
  ["torch.cuda.OutOfMemoryError: CUDA", "error"],
  ["main: server is listening", null],
  ["the errors of others", null],
])("%s", (line, level) => expect(levelOf(line)).toBe(level));

test("what stands far behind in a line says nothing of it", () => expect(levelOf(`${"x".repeat(300)} ERROR`)).toBe(null));

test("a line that is set in goes with the one before", () => {
  expect([levelAfter("error", '  File "a.py", line 3'), levelAfter("error", "next"), levelAfter("warn", "")]).toEqual([
    "error",
    "info",
    "info",
  ]);
});

test("levels are in order", () => expect([isAtLeast("warn", "info"), isAtLeast("info", "error")]).toEqual([true, false]));
