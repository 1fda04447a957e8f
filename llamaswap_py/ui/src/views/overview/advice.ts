// Advice: its figures in words, and where to follow it. Pure.

import type { Recommendation } from "../../lib/shapes";
import { bytes, count, duration } from "../../lib/words";

const LABELS: Record<string, string> = {
  of_seconds: "of", ttl_seconds: "ttl", used_bytes: "in use", total_bytes: "of", memory_bytes: "memory", model_bytes: "its files",
  suggested_bytes_about: "about", wait_seconds_mean: "mean wait", load_seconds_mean: "a load takes",
  utilisation_percent_mean: "mean use", temperature_celsius: "temperature", swap_used_bytes: "swapped out",
  seconds_lost_to_swaps: "lost to swaps",
}; // prettier-ignore

/** "in use 14 GB", "evictions one 3, two 4" */
export function figureOf(name: string, value: unknown): string {
  const label = LABELS[name] ?? name.replaceAll("_", " ").replace(/ (seconds|bytes|percent)\b.*$/, "");
  return `${label} ${said(name, value)}`;
}

function said(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  if (value !== null && typeof value === "object") return Object.entries(value).map(([key, each]) => `${key} ${String(each)}`).join(", ");
  if (typeof value !== "number") return String(value);
  if (name.includes("bytes")) return bytes(value);
  if (name.includes("seconds")) return duration(value);
  if (name.includes("percent")) return `${count(value)}\u202f%`;
  if (name.includes("celsius")) return `${count(value)}\u202f°C`;
  return count(value);
}

export const figuresOf = (advice: Recommendation): string => Object.entries(advice.figures).map(([name, value]) => figureOf(name, value)).join(" · ");

const BY_PRESET = new Set(["gpu-memory-nearly-full", "memory-nearly-full", "gpu-underused", "model-too-large"]);

/** Which preset is worth a look for it; none where only the text of the configuration helps. */
export function presetFor(advice: Recommendation): "performance" | "conservative" | undefined {
  if (!BY_PRESET.has(advice.id)) return undefined;
  return advice.id === "gpu-underused" ? "performance" : "conservative";
}

/** Nothing to be set in the configuration helps a card that is hot. */
export const isOfConfiguration = (advice: Recommendation): boolean => advice.id !== "gpu-hot";

export const PRIORITIES = {
  high: { kind: "failed", word: "Urgent" },
  medium: { kind: "busy", word: "Worth it" },
  low: { kind: "idle", word: "If you like" },
} as const;
