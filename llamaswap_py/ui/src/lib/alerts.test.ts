import { expect, test } from "vitest";
import { amount, limitsOf, loudness, pastOf, whyOf } from "./alerts";
import type { Alert, AlertRule, AlertsNow } from "./shapes";

const alert = (more: Partial<Alert> = {}): Alert => ({
  id: "disk_usage-1", rule: "disk_usage", state: "firing", level: "warning", measure: "disk usage", unit: "%", value: 91.4,
  worst: 91.4, limit: 90, detail: "at /srv", began: "2026-01-01T12:00:00Z", ended: null, why: "", told: true,
  acknowledged: null, ...more,
}); // prettier-ignore
const rule = (more: Partial<AlertRule> = {}): AlertRule => ({
  rule: "disk_usage", measure: "disk usage", about: "", unit: "%", warning: 90, critical: 97, duration: 60, state: "calm",
  value: 10, detail: "", silence: null, ...more,
}); // prettier-ignore
const now = (firing: Alert[], rules = [rule()]): AlertsNow => ({ enabled: true, every: 15, window: 300, firing, rules });

test("the gravest that nobody knows of gives the count its colour", () => {
  expect(loudness(undefined).count).toBe(0);
  expect(loudness(now([alert()]))).toEqual({ count: 1, level: "warning", words: "1 alert fires" });
  expect(loudness(now([alert(), alert({ level: "critical" })])).level).toBe("critical");
});

test("what is known or silenced is counted quietly, and not beside what is not", () => {
  const known = alert({ acknowledged: { by: "a", note: "", at: null }, level: "critical" });
  expect(loudness(now([known]))).toEqual({ count: 1, level: "quiet", words: "1 alert fires, known or silenced" });
  expect(loudness(now([known, alert()]))).toMatchObject({ count: 1, level: "warning" });
  const silenced = [rule({ silence: { until: "2026-01-01T13:00:00Z", note: "" } })];
  expect(loudness(now([alert()], silenced)).level).toBe("quiet");
});

test("an alert is a sentence with its figures", () => {
  expect(whyOf(alert())).toBe("Disk usage is 91.4\u202f% (at /srv); the limit is 90\u202f%.");
  expect(whyOf(alert({ worst: 99, detail: "" }))).toContain("It was 99\u202f% at worst.");
  expect(pastOf(alert({ why: "the rule was taken out" }))).toContain("The rule was taken out.");
});

test("amounts have their units, and times are read as times", () => {
  expect(amount(3, "")).toBe("3");
  expect(amount(12345, "ms")).toBe("12\u202fs");
  expect(amount(250.4, "%")).toBe("250\u202f%");
});

test("a rule says when it fires", () => {
  expect(limitsOf(rule())).toBe("warns at 90\u202f%, critical at 97\u202f%, once it lasted 1\u202fmin");
  expect(limitsOf(rule({ warning: 0, duration: 0 }))).toBe("critical at 97\u202f%");
  expect(limitsOf(rule({ warning: 0, critical: 0 }))).toBe("no limit is set");
});
