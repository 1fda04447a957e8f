// What is said of a model's standing, how the list is narrowed down, sorted and divided. Values in, words out.

import type { Evicted, Group, Rules, Standing, State } from "./shapes";
import { duration, plural } from "./words";

export type Kind = "ready" | "busy" | "failed" | "idle" | "accent";

const WORDS: Record<State, [Kind, string]> = {
  ready: ["ready", "Ready"],
  starting: ["busy", "Loading"],
  stopping: ["busy", "Stopping"],
  failed: ["failed", "Failed"],
  "gave-up": ["failed", "Gave up"],
  disabled: ["failed", "Disabled"],
  leaked: ["failed", "Stuck"],
  stopped: ["idle", "Stopped"],
  remote: ["accent", "Remote"],
};

export interface Word {
  kind: Kind;
  word: string;
  moving: boolean;
}

export function wordOf(model: Standing): Word {
  if (model.state === "stopped" && (model.waiting.length > 0 || model.ordered)) {
    return { kind: "busy", word: "Waiting", moving: false };
  }
  const [kind, word] = WORDS[model.state];
  const busy = model.state === "ready" && model.seated > 0;
  return { kind, word: busy ? "Answering" : word, moving: kind === "busy" || busy };
}

export const isUp = ({ state }: Standing) => state === "ready" || state === "starting" || state === "stopping";
export const isTrouble = ({ state }: Standing) => WORDS[state][0] === "failed";

// ---- which are shown

export const SHOWS = ["all", "up", "trouble"] as const;
export type Show = (typeof SHOWS)[number];

export function isShown(model: Standing, show: Show): boolean {
  return show === "all" || (show === "up" ? isUp(model) : isTrouble(model));
}

/** Every word must be somewhere in what the row tells. */
export function matches(model: Standing, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const texts = [model.id, model.name, model.description, ...model.aliases, model.quantisation, model.architecture];
  const abilities = Object.entries(model.capabilities).map(([name, able]) => (able ? name : ""));
  const text = [...texts, ...abilities, model.group, model.peer, wordOf(model).word].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

// ---- in which order

export const SORTS = { state: "Active first", name: "Name", memory: "Memory", size: "Size", context: "Context", speed: "Speed" };
export type Sort = keyof typeof SORTS;

const RANKS: Record<State, number> = {
  starting: 0,
  stopping: 0,
  ready: 1,
  failed: 2,
  "gave-up": 2,
  leaked: 2,
  disabled: 3,
  stopped: 4,
  remote: 5,
};

function rank(model: Standing): number {
  return model.state === "stopped" && model.waiting.length ? 0.5 : RANKS[model.state];
}

const NAMES = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const byName = (one: Standing, other: Standing) => NAMES.compare(one.id, other.id) || (one.id < other.id ? -1 : 1);
const FIGURES: Record<Exclude<Sort, "name" | "state">, (model: Standing) => number> = {
  memory: (model) => model.memory,
  size: (model) => model.size,
  context: (model) => model.context,
  speed: (model) => model.speed ?? 0,
};

/** Names from A, figures from the largest; what is equal by name. */
export function sorted(models: readonly Standing[], sort: Sort): Standing[] {
  if (sort === "name") return [...models].sort(byName);
  if (sort === "state") return [...models].sort((one, other) => rank(one) - rank(other) || byName(one, other));
  const figure = FIGURES[sort];
  return [...models].sort((one, other) => figure(other) - figure(one) || byName(one, other));
}

// ---- who excludes whom

export interface Section {
  id: string;
  title: string;
  /** What holds for its models, in words. */
  rules: string[];
  models: Standing[];
}

export function rulesOf(group: Group): string[] {
  return [
    group.members.length < 2 ? "" : group.swap ? "one of them at a time" : "all of them together",
    group.exclusive ? "loading one stops other groups" : "leaves other groups alone",
    group.persistent ? "other groups cannot stop them" : "",
  ].filter(Boolean);
}

const isActive = (model: Standing) => model.state !== "stopped" ? model.state !== "remote" : model.ordered || model.waiting.length > 0;

export const groupTitle = (id: string) => (/^\(.*\)$/.test(id) ? "In no group" : id);

/**
 * One section where there is nothing to tell apart. Models of other servers have their own. With `activeFirst` what is
 * up, waited for or in trouble stands before all groups: that is what people look for among many.
 */
export function sections(models: readonly Standing[], rules: Rules | undefined, activeFirst = false): Section[] {
  const groups = rules?.kind === "groups" ? rules.groups.filter((group) => group.members.length) : [];
  const parted = groups.length > 1 || models.some((model) => model.peer);
  const first = activeFirst && parted ? models.filter(isActive) : [];
  const here = models.filter((model) => !model.peer && !first.includes(model));
  const made: Section[] = [{ id: "active", title: "Now", rules: [], models: first }];
  if (groups.length > 1) {
    for (const group of groups) {
      const members = here.filter((model) => model.group === group.id);
      made.push({ id: `group ${group.id}`, title: groupTitle(group.id), rules: rulesOf(group), models: members });
    }
    const known = new Set(groups.map((group) => group.id));
    made.push({ id: "others", title: "Others", rules: [], models: here.filter((model) => !known.has(model.group)) });
  } else made.push({ id: "here", title: first.length ? "Stopped" : parted ? "Here" : "", rules: [], models: here });
  for (const peer of new Set(models.map((model) => model.peer).filter(Boolean))) {
    const theirs = models.filter((model) => model.peer === peer);
    made.push({ id: `peer ${peer}`, title: peer, rules: ["on another server: it loads and stops them itself"], models: theirs });
  }
  return made.filter((section) => section.models.length);
}

/** The first so many of them, in the sections they are in. */
export function cut(all: readonly Section[], most: number): Section[] {
  let left = most;
  const made = [];
  for (const section of all) {
    if (left <= 0) break;
    made.push({ ...section, models: section.models.slice(0, left) });
    left -= section.models.length;
  }
  return made;
}

/** What the sections do not show: the one rule for all, or the sets of a matrix. */
export function ruleForAll(rules: Rules | undefined, models: number): string {
  if (!rules || models < 2) return "";
  if (rules.kind === "matrix") {
    const named = (text: string) => text.replace(/[\w.-]+/g, (name) => rules.names[name] ?? name);
    const sets = rules.sets.map((set) => `${set.name}: ${named(set.expression)}`);
    return `May be up together by the matrix: ${sets.join(" · ")}. Every other model is up alone.`;
  }
  const groups = rules.groups.filter((group) => group.members.length);
  if (groups.length !== 1) return "";
  return groups[0]!.swap ? "One model is up at a time: loading one stops the other." : "All models may be up together.";
}

// ---- sentences

export function ago(seconds: number): string {
  if (seconds < 5) return "just now";
  const step = seconds < 60 ? 1 : seconds < 3600 ? 60 : 3600; // what changes every second is no calm page
  return `${duration(Math.floor(seconds / step) * step)} ago`;
}

/** Why a model had to make room. */
export function evictedSentence(evicted: Evicted): string {
  if (!evicted.waiting) return `Made room for ${evicted.wanted}, which was ordered to load`;
  const who = evicted.waiting > 1 ? plural(evicted.waiting, "caller") : "a caller";
  const how = evicted.waited < 0.1 ? "asked" : `had waited ${duration(evicted.waited)}`; // nobody waits for milliseconds
  const others = evicted.candidates.length - evicted.chosen.length;
  const spared = others > 0 ? `; ${plural(others, "other")} could stay` : "";
  return `Made room for ${evicted.wanted}, for which ${who} ${how}${spared}`;
}

export function parameters(number: number): string {
  if (number >= 1e9) return `${trim(number / 1e9)}B`;
  return number >= 1e6 ? `${trim(number / 1e6)}M` : `${Math.round(number / 1e3)}K`;
}

const trim = (value: number) => value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, "");
