import { describe, expect, test } from "vitest";
import { ago, cut, evictedSentence, isShown, matches, parameters, ruleForAll, sections, sorted, wordOf } from "./models";
import type { Group, Rules, Standing } from "./shapes";

const BARE: Standing = {
  id: "", name: "", description: "", aliases: [], unlisted: false, peer: "", found: false, capabilities: {},
  state: "stopped", since: null, why: "", last_output: [], retry_at: null, ordered: false, loading: null, pid: null,
  leaked: [], address: "", memory: 0, context: 0, trained_context: 0, architecture: "", quantisation: "", parameters: 0,
  size: 0, speed: null, ttl: 0, idle_at: null, seated: 0, seats: null, waiting: [], pinned: false, evicted: null,
  group: "", makes_room: [],
};
const model = (id: string, more: Partial<Standing> = {}): Standing => ({ ...BARE, id, ...more });
const group = (id: string, members: string[], more: Partial<Group> = {}): Group => ({
  id, members, swap: true, exclusive: true, persistent: false, ...more,
});
const groups = (...all: Group[]): Rules => ({ kind: "groups", groups: all, sets: [], names: {} });
const ids = (models: Standing[]) => models.map(({ id }) => id).join(" ");

test.each([
  [{ state: "ready" }, "Ready", false],
  [{ state: "ready", seated: 1 }, "Answering", true],
  [{ state: "starting" }, "Loading", true],
  [{ state: "gave-up" }, "Gave up", false],
  [{ state: "stopped", waiting: [{ position: 1, caller: "", since: 0 }] }, "Waiting", false],
  [{ state: "stopped" }, "Stopped", false],
] as [Partial<Standing>, string, boolean][])("the word for %j is %s", (more, word, moving) =>
  expect(wordOf(model("a", more))).toMatchObject({ word, moving }),
);

describe("searching", () => {
  const qwen = model("qwen3-8b", { aliases: ["small"], quantisation: "Q4_K_M", capabilities: { vision: true, tools: false } });
  test.each(["", "qwen", "QWEN q4", "small", "vision", "stopped"])("finds by %j", (query) =>
    expect(matches(qwen, query)).toBe(true),
  );
  test.each(["gemma", "qwen gemma", "tools"])("does not find by %j", (query) => expect(matches(qwen, query)).toBe(false));
});

describe("sorting", () => {
  const all = [
    model("b10"),
    model("b9", { memory: 1, size: 5 }),
    model("up", { state: "ready", memory: 9 }),
    model("bad", { state: "failed" }),
    model("loads", { state: "starting" }),
  ];
  test("what is active comes first, then what needs somebody", () => expect(ids(sorted(all, "state"))).toBe("loads up bad b9 b10"));
  test("names as people count", () => expect(ids(sorted(all, "name"))).toBe("b9 b10 bad loads up"));
  test("figures from the largest", () => expect(ids(sorted(all, "memory"))).toBe("up b9 b10 bad loads"));
  test("leaves the list as it was", () => expect(all[0]!.id).toBe("b10"));
});

test("only what is up, only what is in trouble", () => {
  const all = [model("a", { state: "ready" }), model("b"), model("c", { state: "disabled" })];
  expect(ids(all.filter((each) => isShown(each, "up")))).toBe("a");
  expect(ids(all.filter((each) => isShown(each, "trouble")))).toBe("c");
});

describe("who excludes whom", () => {
  const all = [model("a", { group: "big" }), model("b", { group: "big" }), model("c", { group: "(default)" }), model("p/x", { peer: "p" })];
  test("is a section for each group, with its rules, and one for each other server", () => {
    const made = sections(all, groups(group("big", ["a", "b"], { persistent: true }), group("(default)", ["c"])));
    expect(made.map(({ title }) => title)).toEqual(["big", "In no group", "p"]);
    expect(made[0]!.rules).toEqual(["one of them at a time", "loading one stops other groups", "other groups cannot stop them"]);
    expect(made.map(({ models }) => ids(models))).toEqual(["a b", "c", "p/x"]);
  });
  test("stands below what is active, where that is wanted", () => {
    const rules = groups(group("big", ["a", "b"]), group("(default)", ["c"]));
    const made = sections([model("a", { group: "big", state: "ready" }), ...all.slice(1)], rules, true);
    expect(made.map(({ title, models }) => `${title}: ${ids(models)}`)).toEqual(["Now: a", "big: b", "In no group: c", "p: p/x"]);
  });
  test("is one sentence where there is one group", () => {
    const one = groups(group("(default)", ["a", "b"]), group("empty", []));
    expect(sections(all.slice(0, 2), one)).toHaveLength(1);
    expect(ruleForAll(one, 2)).toContain("One model is up at a time");
    expect(ruleForAll(one, 1)).toBe("");
  });
  test("is the sets of a matrix", () => {
    const sets = [{ name: "day", expression: "q & (b|c-1)" }, { name: "night", expression: "q" }];
    const matrix: Rules = { kind: "matrix", groups: [], sets, names: { q: "qwen", "c-1": "lab/c" } };
    expect(ruleForAll(matrix, 2)).toBe(
      "May be up together by the matrix: day: qwen & (b|lab/c) · night: qwen. Every other model is up alone.",
    );
  });
  test("loses no model whose group is not known yet", () => {
    const made = sections([model("new", { group: "later" })], groups(group("x", ["y"]), group("z", ["w"])));
    expect(ids(made.flatMap(({ models }) => models))).toBe("new");
  });
});

test("the first so many, in their sections", () => {
  const parts = ["abc", "d", "efg"].map((id) => ({ id, title: id, rules: [], models: [...id].map((each) => model(each)) }));
  const shown = (most: number) => cut(parts, most).map(({ models }) => ids(models));
  expect(shown(2)).toEqual(["a b"]);
  expect(shown(3)).toEqual(["a b c"]);
  expect(shown(5)).toEqual(["a b c", "d", "e"]);
  expect(shown(99)).toEqual(["a b c", "d", "e f g"]);
});

test("why one was evicted is a sentence", () => {
  const candidate = { model: "b", state: "ready", seated: 0, waiting: 0, unused: 3, pinned: false };
  const evicted = {
    wanted: "c", caller: "key 1", waiting: 2, waited: 4.2, rule: "lru", chosen: ["b"], candidates: [candidate, candidate], at: 1,
  };
  expect(evictedSentence(evicted).replaceAll("\u202f", " ")).toBe(
    "Made room for c, for which 2 callers had waited 4.2 s; 1 other could stay",
  );
});

test("who made room for an order, not for a caller, is told so", () => {
  const evicted = { wanted: "c", caller: "", waiting: 0, waited: 0, rule: "lru", chosen: ["b"], candidates: [], at: 1 };
  expect(evictedSentence(evicted)).toBe("Made room for c, which was ordered to load");
});

test("a caller who waited for no time at all has asked", () => {
  const evicted = { wanted: "c", caller: "", waiting: 1, waited: 0.004, rule: "lru", chosen: ["b"], candidates: [], at: 1 };
  expect(evictedSentence(evicted)).toBe("Made room for c, for which a caller asked");
});

test("ages are told in steps that do not flicker", () => {
  expect([2, 42.7, 663, 7300, 200_000].map((age) => ago(age).replaceAll("\u202f", " "))).toEqual([
    "just now", "42 s ago", "11 min ago", "2 h ago", "2 d 7 h ago",
  ]);
});

test("parameters", () => expect([7.6e9, 70e9, 1.1e6, 500e3].map(parameters)).toEqual(["7.6B", "70B", "1.1M", "500K"]));
