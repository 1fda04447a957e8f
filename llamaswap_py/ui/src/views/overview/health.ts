// What lowers the health, in words. Pure.

import type { Score } from "../../lib/shapes";
import { count, duration, plural } from "../../lib/words";

export interface Lowered {
  name: string;
  /** What is measured, as a sentence. */
  text: string;
  /** Of a hundred. */
  score: number;
  /** Points of the whole that it takes away. */
  lost: number;
}

const SAY: Record<string, (value: number) => string> = {
  cpu: (value) => `${count(value, 0)}\u202f% of the processor is in use`,
  memory: (value) => `${count(value, 0)}\u202f% of the memory is in use`,
  gpu: (value) => `The hottest GPU is at ${count(value, 0)}\u202f°C`,
  errors: (value) => (value ? `${count(value, 1)}\u202f% of the requests of the last five minutes failed` : "No request of the last five minutes failed"),
  response: (value) => `Answers begin after ${duration(value / 1000)} in the mean`,
};
export const NAMES: Record<string, string> = { cpu: "Processor", memory: "Memory", gpu: "GPU", errors: "Failures", response: "Response" };
const UNKNOWN: Record<string, string> = {
  cpu: "not measured", memory: "not measured", gpu: "no GPU", errors: "no request lately", response: "no request lately",
}; // prettier-ignore

const LEAST = 0.5; // of the weights: as the server counts where less is known

export function wordOf(status: Score["status"] | undefined): { kind: "ready" | "busy" | "failed" | "idle"; word: string } {
  if (status === "healthy") return { kind: "ready", word: "Healthy" };
  if (status === "warning") return { kind: "busy", word: "Needs a look" };
  if (status === "critical") return { kind: "failed", word: "In trouble" };
  return { kind: "idle", word: status === "unknown" ? "Not measured" : "Looking …" };
}

/** All that is known, the costliest first. */
export function lowered(health: Score): Lowered[] {
  const known = Object.entries(health.components).filter(([, part]) => part.score !== null && part.value !== null);
  const weights = Math.max(LEAST, known.reduce((sum, [, part]) => sum + part.weight, 0));
  return known
    .map(([name, part]) => ({
      name,
      text: SAY[name]?.(part.value!) ?? name,
      score: part.score!,
      lost: Math.round(((100 - part.score!) * part.weight * 10) / weights) / 10,
    }))
    .sort((one, other) => other.lost - one.lost);
}

export function unknown(health: Score): string[] {
  const names = Object.entries(health.components).filter(([, part]) => part.score === null);
  return names.map(([name]) => `${NAMES[name] ?? name}: ${UNKNOWN[name] ?? "not known"}`);
}

/** The most of it in one sentence. */
export function sentence(health: Score): string {
  if (health.score === null) return "Nothing is measured yet.";
  const worst = lowered(health).filter((part) => part.lost >= 1);
  const alerts = health.alerts ? `${plural(health.alerts, "alert takes", "alerts take")} ${count(health.alert_penalty)} points` : "";
  const parts = worst.slice(0, 2).map((part) => `${part.text.charAt(0).toLowerCase()}${part.text.slice(1)} (−${count(part.lost, 0)})`);
  const said = [alerts, ...parts].filter(Boolean);
  return said.length ? `Lowered by: ${said.join("; ")}.` : "Nothing lowers it.";
}
