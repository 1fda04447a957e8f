import { beforeEach, expect, test } from "vitest";
import { House } from "./house.svelte";
import type { Events, Flying, Standing } from "./shapes";
import { Stream } from "./stream.svelte";

let house: House;
beforeEach(() => (house = new House(new Stream())));

function told<T extends keyof Events>(type: T, data: Partial<Events[T]>): void {
  house.stream.take(JSON.stringify({ type, data: JSON.stringify(data) }));
}
const standing = (id: string, more: Partial<Standing> = {}) => ({ id, state: "stopped", ...more }) as Standing;
const flying = (id: string, resp_bytes = 0) => ({ id, resp_bytes, model: "a" }) as Flying;
const sample = (at: number) => ({ at, cpu: 1, memory: 1, memory_total: 2 }) as Events["machine"]["samples"][number];

test("nothing is known of models until it was told", () => {
  expect(house.heard).toBe(false);
  told("standings", { whole: true, rows: [], gone: [] });
  expect(house.heard).toBe(true);
});

test("rows that changed take the place of the old ones, in their place", () => {
  told("standings", { whole: true, rows: [standing("a"), standing("b")], gone: [] });
  told("standings", { whole: false, rows: [standing("a", { state: "ready" }), standing("c")], gone: ["b"] });
  expect([...house.models.values()].map(({ id, state }) => `${id} ${state}`)).toEqual(["a ready", "c stopped"]);
});

test("who comes back forgets what is gone meanwhile", () => {
  told("standings", { whole: true, rows: [standing("a"), standing("b")], gone: [] });
  told("standings", { whole: true, rows: [standing("b")], gone: [] });
  expect([...house.models.keys()]).toEqual(["b"]);
});

test("requests come, grow and end", () => {
  told("flights", { whole: true, rows: [flying("1"), flying("2")], grown: {}, gone: [] });
  told("flights", { whole: false, rows: [flying("3")], grown: { "1": 500, "9": 1 }, gone: ["2"] });
  expect([...house.flights.values()].map(({ id, resp_bytes }) => [id, resp_bytes])).toEqual([["1", 500], ["3", 0]]);
  told("flights", { whole: true, rows: [], grown: {}, gone: [] });
  expect(house.flights.size).toBe(0);
});

test("measurements are kept once, and for ten minutes", () => {
  told("machine", { samples: [1, 2, 3].map(sample) });
  told("machine", { samples: [sample(4)] });
  told("machine", { samples: [2, 3, 4, 5].map(sample) });
  expect(house.samples.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5]);
  told("machine", { samples: Array.from({ length: 400 }, (_, number) => sample(number + 6)) });
  expect(house.samples.length).toBe(240);
  expect(house.samples.at(-1)!.at).toBe(405);
});

test("the server's clock holds where this machine's is wrong", () => {
  const ahead = Date.now() / 1000 + 3600;
  told("beat", { now: ahead });
  expect(Math.abs(house.now() - ahead)).toBeLessThan(30);
});

test("a configuration that was refused is remembered", () => {
  told("config", { state: "refused", mistakes: ["one"] });
  expect(house.config).toEqual({ state: "refused", mistakes: ["one"] });
});

test("events that nobody wants are not even read", () => {
  expect(() => house.stream.take('{"type":"uiConfig","data":"no JSON"}')).not.toThrow();
});

test("who stops listening hears no more", () => {
  const heard: number[] = [];
  const leave = house.stream.on("finished", ({ rows }) => heard.push(rows.length));
  told("finished", { rows: [], gap: false });
  leave();
  told("finished", { rows: [], gap: false });
  expect(heard).toEqual([0]);
});
