// What fires, in words: for the shell's count and the Overview.

import type { Alert, AlertRule, AlertsNow } from "./shapes";
import { count, duration, plural } from "./words";

export interface Loudness {
  count: number;
  level: "critical" | "warning" | "quiet";
  words: string;
}

export function silenceOf(alerts: AlertsNow | undefined, rule: string): AlertRule["silence"] {
  return alerts?.rules.find((each) => each.rule === rule)?.silence ?? null;
}

/** Nobody knows of it yet, and it was not told to be quiet. */
export function isLoud(alerts: AlertsNow, alert: Alert): boolean {
  return alert.acknowledged === null && silenceOf(alerts, alert.rule) === null;
}

export function loudness(alerts: AlertsNow | undefined): Loudness {
  const firing = alerts?.firing ?? [];
  const loud = firing.filter((alert) => isLoud(alerts!, alert));
  const level = loud.some((alert) => alert.level === "critical") ? "critical" : loud.length ? "warning" : "quiet";
  const shown = loud.length ? loud : firing;
  const words = `${plural(shown.length, "alert fires", "alerts fire")}${loud.length ? "" : ", known or silenced"}`;
  return { count: shown.length, level, words };
}

/** 91.42 % → "91.4 %" */
export function amount(value: number, unit: string): string {
  if (unit === "ms") return duration(value / 1000);
  return `${count(value, value < 100 && !Number.isInteger(value) ? 1 : 0)}${unit ? `\u202f${unit}` : ""}`;
}

/** A sentence begins with a capital letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "Disk usage is 91.4 % (at /srv); the limit is 90 %." */
export function whyOf(alert: Alert): string {
  const beside = alert.detail ? ` (${alert.detail})` : "";
  const worst = alert.worst > alert.value ? ` It was ${amount(alert.worst, alert.unit)} at worst.` : "";
  return `${capital(alert.measure)} is ${amount(alert.value, alert.unit)}${beside}; the limit is ${amount(alert.limit, alert.unit)}.${worst}`;
}

/** Of one that is over. */
export function pastOf(alert: Alert): string {
  const reached = `reached ${amount(alert.worst, alert.unit)}${alert.detail ? ` (${alert.detail})` : ""}; the limit is ${amount(alert.limit, alert.unit)}`;
  return `${capital(alert.measure)} ${reached}.${alert.why ? ` ${capital(alert.why)}.` : ""}`;
}

type Kind = "ready" | "busy" | "failed" | "idle";
export const RULE_STATES: Record<AlertRule["state"], { kind: Kind; word: string }> = {
  calm: { kind: "ready", word: "Calm" },
  rising: { kind: "busy", word: "Rising" },
  warning: { kind: "busy", word: "Warning" },
  critical: { kind: "failed", word: "Critical" },
  unknown: { kind: "idle", word: "Not measured" },
  off: { kind: "idle", word: "Off" },
};

/** "warns at 80 %, critical at 95 %, for 5 min" */
export function limitsOf(rule: AlertRule): string {
  const limits = [
    rule.warning ? `warns at ${amount(rule.warning, rule.unit)}` : "",
    rule.critical ? `critical at ${amount(rule.critical, rule.unit)}` : "",
  ].filter(Boolean);
  if (!limits.length) return "no limit is set";
  return `${limits.join(", ")}${rule.duration ? `, once it lasted ${duration(rule.duration)}` : ""}`;
}
