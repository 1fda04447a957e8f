import { expect, test } from "vitest";
import { bytes, context, count, countdown, duration, plural, short, speed } from "./words";

const plain = (text: string) => text.replaceAll("\u202f", " ");

test.each([
  [0.0004, "0 ms"],
  [0.42, "420 ms"],
  [0.9999, "1 s"],
  [1.54, "1.5 s"],
  [12.4, "12 s"],
  [59.7, "1 min"],
  [75, "1 min 15 s"],
  [5400, "1 h 30 min"],
  [93600, "1 d 2 h"],
])("%d seconds last %s", (seconds, text) => expect(plain(duration(seconds))).toBe(text));

test.each([
  [-3, "0:00"],
  [9.2, "0:10"],
  [75, "1:15"],
  [5400, "1 h 30 min"],
])("%d seconds are left as %s", (seconds, text) => expect(plain(countdown(seconds))).toBe(text));

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 KB"],
  [1536, "1.5 KB"],
  [2.1e9, "2 GB"],
  [68_000_000_000, "63 GB"],
])("%d bytes are %s", (value, text) => expect(plain(bytes(value))).toBe(text));

test("contexts are powers of two where they are", () => {
  expect([context(512), context(4096), context(131072), context(40000)]).toEqual(["512", "4k", "128k", "40,000"]);
});

test("numbers", () => {
  expect([short(999), short(1200), short(54_321), short(2e6)]).toEqual(["999", "1.2k", "54k", "2M"]);
  expect([count(1234567), plain(speed(4.25)), plain(speed(123.4))]).toEqual(["1,234,567", "4.3 tok/s", "123 tok/s"]);
  expect([plural(1, "model"), plural(2, "model"), plural(0, "reply", "replies")]).toEqual(["1 model", "2 models", "0 replies"]);
});
