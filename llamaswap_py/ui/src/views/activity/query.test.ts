import { expect, test } from "vitest";
import type { Activity } from "../../lib/shapes";
import { asked, filtersOf, fits, isNewest, orderOf, sortOption } from "./query";

const of = (text: string) => filtersOf(new URLSearchParams(text));

test("what is asked follows from the address, and what cannot be asked is left out", () => {
  expect(String(asked(of("model=lab/q%203&status=5xx&api=openai&caller=key+2&q=+s-1+"), 0))).toBe(
    "model=lab%2Fq+3&status=5xx&api=openai&caller=key+2&text=s-1",
  );
  expect(String(asked(of("status=what&since=ever"), 0))).toBe("");
  expect(asked(of("since=1h"), 1_772_354_400).get("start")).toBe("2026-03-01T07:40:00Z");
});

test.each([
  ["", { by: "id", descending: true }, undefined],
  ["sort=duration", { by: "duration", descending: true }, "duration"],
  ["sort=-model", { by: "model", descending: false }, "-model"],
  ["sort=-id", { by: "id", descending: false }, "-id"],
])("the order of %j", (text, order, option) => {
  expect(orderOf(new URLSearchParams(text))).toEqual(order);
  expect(sortOption(order)).toBe(option);
  expect(isNewest(order)).toBe(text === "");
});

const row = {
  model: "qwen",
  resp_status_code: 503,
  details: { api: "openai", caller: "key 1", request: "r-77", session: "s-1" },
} as Activity;

test.each([
  ["", true],
  ["model=qwen", true],
  ["model=q", false],
  ["status=5xx", true],
  ["status=2xx", false],
  ["api=openai&caller=key+1", true],
  ["api=anthropic", false],
  ["caller=key+2", false],
  ["q=r-7", true],
  ["q=s-1", true],
  ["q=-77", false],
  ["since=15m", true],
])("a new row fits %j: %s", (text, yes) => expect(fits(row, of(text))).toBe(yes));

test("a row of which nothing more is known fits no caller", () => {
  expect(fits({ model: "a", resp_status_code: 200 } as Activity, of("caller=x"))).toBe(false);
});
