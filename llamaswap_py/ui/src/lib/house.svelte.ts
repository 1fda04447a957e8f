// The state of the server as its events tell it: what every view may look at. Nothing here asks again and again.

import { SvelteMap } from "svelte/reactivity";
import { seconds } from "./now.svelte";
import type { ConfigNews, Flight, InflightNews, Pull, Rules, Standing, Standings } from "./shapes";
import { Stream } from "./stream.svelte";

export class House {
  /** Until then nothing is known of models. */
  heard = $state(false);
  /** Every model by its id, those of other servers included. */
  readonly models = new SvelteMap<string, Standing>();
  rules = $state.raw<Rules | undefined>();
  readonly inflight = new SvelteMap<string, Flight>();
  readonly pulls = new SvelteMap<string, Pull>();
  config = $state.raw<ConfigNews>({ state: "loaded", mistakes: [] });
  profile = $state<string | null>(null);
  /** Seconds from this machine's clock to the server's. */
  private skew = $state(0);

  constructor(readonly stream = new Stream()) {
    stream.on("beat", ({ now }) => {
      const skew = now - Date.now() / 1000;
      if (Math.abs(skew - this.skew) > 0.5) this.skew = skew;
    });
    stream.on("standings", (news) => this.stand(news));
    stream.on("rules", (rules) => (this.rules = rules));
    stream.on("inflight", (news) => this.fly(news));
    stream.on("config", (news) => (this.config = news));
    stream.on("profileChanged", ({ active }) => (this.profile = active));
    stream.on("pull", (pull) => this.pulls.set(pull.id, pull));
  }

  /** The server's clock, in unix seconds, once a second for who looks at it. */
  now(): number {
    return seconds() + this.skew;
  }

  private stand({ whole, rows, gone }: Standings): void {
    if (whole) {
      const there = new Set(rows.map((row) => row.id));
      for (const id of this.models.keys()) if (!there.has(id)) this.models.delete(id);
    }
    for (const row of rows) this.models.set(row.id, row);
    for (const id of gone) this.models.delete(id);
    this.heard = true;
  }

  private fly(news: InflightNews): void {
    if (news.operation === "snapshot") {
      this.inflight.clear();
      for (const request of news.requests ?? []) this.inflight.set(request.id, request);
    } else if (news.request) this.inflight.set(news.request.id, news.request);
    else if (news.id) this.inflight.delete(news.id);
  }
}

export const house = new House();
