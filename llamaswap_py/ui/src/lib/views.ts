// The views: in this order in the navigation, each loaded when it is first opened.

import type { Component } from "svelte";
import type { Shape } from "../parts/Icon.svelte";
import { atRest } from "./rest";

export interface ViewProps {
  /** What follows the view's name in the address: a model's id, a request's number. */
  rest: string;
  options: URLSearchParams;
}

export interface ViewEntry {
  name: string;
  short: string;
  icon: Shape;
  load: () => Promise<{ default: Component<ViewProps> | Component }>;
}

/** So many fit into the bar of a phone; the rest stand behind "More". */
export const IN_BAR = 4;

export const VIEWS: readonly ViewEntry[] = [
  { name: "models", short: "Models", icon: "models", load: () => import("../views/models/View.svelte") },
  { name: "playground", short: "Playground", icon: "playground", load: () => import("../views/playground/View.svelte") },
  { name: "overview", short: "Overview", icon: "overview", load: () => import("../views/overview/View.svelte") },
  { name: "activity", short: "Activity", icon: "activity", load: () => import("../views/activity/View.svelte") },
  { name: "logs", short: "Logs", icon: "logs", load: () => import("../views/logs/View.svelte") },
  { name: "performance", short: "Performance", icon: "performance", load: () => import("../views/performance/View.svelte") },
  { name: "configuration", short: "Config", icon: "configuration", load: () => import("../views/configuration/View.svelte") },
];

const SOON_MS = 1000; // what the first view asks for comes first
const AHEAD = "ahead"; // marks when that began, for whoever measures a visit

/** One after the other, each in a moment of rest. What does not come is asked for again when it is opened. */
export function loadAhead(loads: readonly ViewEntry["load"][]): void {
  const [first, ...others] = loads;
  if (!first) return;
  const next = () => loadAhead(others);
  const begin = () => {
    if (!performance.getEntriesByName(AHEAD).length) performance.mark(AHEAD);
    void first().then(next, next);
  };
  setTimeout(() => atRest(begin), SOON_MS);
}

/** A hand is on its way to this view. What does not come is asked for again when it is opened, and missed there. */
export function foresee(view: ViewEntry): void {
  view.load().catch(() => undefined);
}
