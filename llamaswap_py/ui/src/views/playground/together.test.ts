import { describe, expect, it } from "vitest";
import type { Group, Rules, Standing, State } from "../../lib/shapes";
import { best, missing, obstacle, refusesAttachment } from "./abilities";
import { compatible, plan, reason } from "./together";
import { ordinal, waitOf } from "./standing";

const model = (id: string, state: State = "stopped", peer = "") => ({ id, state, peer, group: "" });
const group = (id: string, members: string[], more: Partial<Group> = {}): Group => ({ id, members, swap: true, exclusive: true, persistent: false, ...more });
const groups = (...each: Group[]): Rules => ({ kind: "groups", groups: each, sets: [], names: {} });
const matrix = (...sets: [string, string][]): Rules => ({
  kind: "matrix",
  groups: [],
  sets: sets.map(([name, expression]) => ({ name, expression })),
  names: { big: "org/big:7b" },
});
const [a, b, c] = [model("a"), model("b"), model("c")];
const ids = (batches: { id: string }[][]) => batches.map((batch) => batch.map((each) => each.id).join("+"));

describe("groups", () => {
  it("say who may be up together", () => {
    expect(compatible([a, b], groups(group("g", ["a", "b"])))).toBe(false);
    expect(compatible([a, b], groups(group("g", ["a", "b"], { swap: false })))).toBe(true);
    expect(compatible([a, b], groups(group("g", ["a"]), group("h", ["b"], { exclusive: false })))).toBe(false);
    expect(compatible([a, b], groups(group("g", ["a"], { exclusive: false }), group("h", ["b"], { exclusive: false })))).toBe(true);
    expect(compatible([a, b], groups(group("g", ["a"]), group("h", ["b"], { exclusive: false, persistent: true })))).toBe(true);
    expect(compatible([a, model("far", "remote", "peer")], groups(group("g", ["a"])))).toBe(true);
    expect(compatible([a, b], undefined)).toBe(true);
  });
});

describe("a matrix", () => {
  it.each([
    ["a & b", true],
    ["a | b", false],
    ["a & (b | c)", true],
    ["(a | b) & c", false],
  ])("%s", (expression, together) => {
    expect(compatible([a, b], matrix(["set", expression]))).toBe(together);
  });

  it("uses other sets and short names, and is not led in circles", () => {
    const rules = matrix(["small", "a & (b | c)"], ["large", "big & +small"]);
    expect(compatible([model("org/big:7b"), a, c], rules)).toBe(true);
    expect(compatible([b, c], rules)).toBe(false);
    expect(compatible([a, b], matrix(["x", "+y"], ["y", "+x"]))).toBe(false);
  });
});

describe("the order of asking", () => {
  it("has what is up first, and together what may be", () => {
    const one = groups(group("g", ["a", "b", "c"]));
    expect(ids(plan([a, model("b", "ready"), c], one))).toEqual(["b", "a", "c"]);
    expect(ids(plan([a, b, c], groups(group("g", ["a", "b", "c"], { swap: false }))))).toEqual(["a+b+c"]);
    expect(ids(plan([a, b, c], matrix(["s", "a & c"])))).toEqual(["a+c", "b"]);
  });

  it("is told with its reason", () => {
    expect(reason([a, b], groups(group("g", ["a", "b"])))).toBe("They are asked one after the other: the group g has one model up at a time.");
    expect(reason([a, b], groups(group("(default)", ["a", "b"])))).toContain("the configuration");
    expect(reason([a, b, c], matrix(["s", "a & c"]))).toBe("a and c are asked at once, then b: no set of the matrix has them together.");
    expect(reason([a], groups(group("g", ["a"])))).toBe("");
  });
});

const able = (id: string, capabilities: Record<string, boolean> = {}, architecture = "") => ({ id, name: id, capabilities, architecture });

describe("what can be asked", () => {
  it("follows from capabilities, else from the kind", () => {
    expect(obstacle(able("qwen"), "chat")).toBe("");
    expect(obstacle(able("voice", { audio_speech: true }), "chat")).toContain("does not chat");
    expect(obstacle(able("omni", { audio_speech: true, function_calling: true }), "chat")).toBe("");
    expect(obstacle(able("nomic-embed-text"), "chat")).toContain("vectors");
    expect(obstacle(able("x", {}, "nomic-bert"), "chat")).toContain("vectors");
    expect(obstacle(able("bge-reranker", { reranker: true }), "rerank")).toBe("");
    expect(obstacle(able("qwen"), "images")).toContain("out: [image]");
    expect(missing([able("qwen"), able("p", { image_generation: true })], "images")).toBe("");
    expect(missing([able("qwen")], "speech")).toContain("out: [audio]");
  });

  it("also for attachments: what nobody wrote down is left to the server", () => {
    expect(refusesAttachment(able("qwen"), "image")).toBe("");
    expect(refusesAttachment(able("qwen", { function_calling: true }), "image")).toBe("qwen takes no images");
    expect(refusesAttachment(able("qwen", { vision: true }), "image")).toBe("");
    expect(refusesAttachment(able("qwen", { vision: true }), "audio")).toBe("qwen takes no audio");
  });

  it("prefers what is up, and for vectors what makes them", () => {
    const all = [able("a"), able("bge-m3"), able("b")].map((each) => ({ ...each, state: (each.id === "b" ? "ready" : "stopped") as State, unlisted: false }));
    expect(best(all, "chat")?.id).toBe("b");
    expect(best(all, "embeddings")?.id).toBe("bge-m3");
    expect(best(all, "speech")).toBeUndefined();
  });
});

describe("who waits", () => {
  const standing = (more: Partial<Standing>) => ({ ...model("a"), peer: "far", waiting: [], makes_room: [], loading: null, seated: 0, seats: null, ...more }) as unknown as Standing;

  it("is told how the model stands", () => {
    expect(waitOf(standing({ state: "starting", loading: { seconds: 3, percent: 40, left: 5.2 } }), 0)).toEqual({ words: "Loading a: 40 %, about 6\u202fs left", share: 0.4 });
    expect(waitOf(standing({ state: "starting", loading: { seconds: 3, percent: null, left: null } }), 0)).toEqual({ words: "Loading a", share: null });
    expect(waitOf(standing({ state: "starting", loading: { seconds: 3, percent: 99, left: 0 } }), 0).words).toContain("almost there");
    expect(waitOf(standing({ state: "stopped", makes_room: ["b", "c"] }), 0).words).toBe("Queued for a: b and c must make room");
    const waiting = [{ position: 1, caller: "x", since: 10 }, { position: 2, caller: "x", since: 20 }];
    expect(waitOf(standing({ state: "stopped", waiting }), 19.8).words).toBe("2nd in the queue for a: its turn comes next");
    expect(waitOf(standing({ state: "ready", seated: 1, seats: 1, waiting }), 20).words).toBe("a answers 1 request; yours is 2nd in the queue");
    expect(waitOf(standing({ state: "ready" }), 0).words).toBe("a reads the prompt");
    expect(waitOf(standing({ state: "remote" }), 0).words).toBe("Waiting for far");
    expect(waitOf(undefined, 0).words).toBe("Waiting for the server");
    expect([1, 2, 3, 4, 11, 12, 21, 112].map(ordinal)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th"]);
  });
});
