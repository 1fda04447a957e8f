// The state of the server as its events tell it: what every view may look at. Nothing here asks again and again.

import { SvelteMap } from "svelte/reactivity";
import { askJson } from "./ask";
import type { ConfigNews, InflightNews, InflightRow, Load, Pull, Running, RunningRow, StatusRow, Swap } from "./rows";
import { Stream } from "./stream.svelte";

const LOOK_MS = 250; // many events in a row cost one look

export class House {
  /** Until then nothing is known of models. */
  heard = $state(false);
  models = $state.raw<StatusRow[]>([]);
  running = $state.raw<ReadonlyMap<string, RunningRow>>(new Map());
  about = $state.raw<Running>({ running: [], waiting: {} });
  /** When `about` was seen, by performance.now(): seconds in it are counted from there. */
  seen = $state(0);
  readonly loading = new SvelteMap<string, Load & { at: number }>();
  readonly inflight = new SvelteMap<string, InflightRow>();
  readonly pulls = new SvelteMap<string, Pull>();
  config = $state.raw<ConfigNews>({ state: "loaded", mistakes: [] });
  profile = $state<string | null>(null);

  private due: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly stream = new Stream()) {
    stream.on<StatusRow[]>("modelStatus", (rows) => {
      this.models = rows;
      this.heard = true;
      this.look();
    });
    stream.on<Load & { model: string }>("loading", (load) => {
      this.loading.set(load.model, { ...load, at: performance.now() });
    });
    stream.on<Swap>("swap", (swap) => {
      if (swap.state !== "starting") this.loading.delete(swap.model);
      this.look();
    });
    stream.on<InflightNews>("inflight", (news) => this.requests(news));
    stream.on<ConfigNews>("config", (news) => {
      this.config = news;
      this.look();
    });
    stream.on<{ active: string | null }>("profileChanged", ({ active }) => (this.profile = active));
    stream.on<Pull>("pull", (pull) => this.pulls.set(pull.id, pull));
  }

  private requests(news: InflightNews): void {
    const before = this.inflight.size;
    if (news.operation === "snapshot") {
      this.inflight.clear();
      for (const request of news.requests ?? []) this.inflight.set(request.id, request);
    } else if (news.operation === "upsert") this.inflight.set(news.request.id, news.request);
    else this.inflight.delete(news.id);
    if (this.inflight.size !== before) this.look();
  }

  /** What the events do not tell of models, after something happened to them. */
  look(): void {
    this.due ??= setTimeout(async () => {
      this.due = undefined;
      try {
        this.about = await askJson<Running>("running");
      } catch {
        return; // the connection's own sign says that the server is away
      }
      this.seen = performance.now();
      this.running = new Map(this.about.running.map((row) => [row.model, row]));
    }, LOOK_MS);
  }
}

export const house = new House();
