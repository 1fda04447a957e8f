// The state of the server as its events tell it: what every view may look at. Nothing here asks again and again.

import { SvelteMap } from "svelte/reactivity";
import { seconds } from "./now.svelte";
import type { AlertsNow, BenchmarkOrder, ConfigNews, Flights, Flying, Glance, Pull, Rules, Sample, Standing, Standings } from "./shapes";
import { Stream } from "./stream.svelte";

const SAMPLES = 240; // ten minutes

export class House {
  /** Until then nothing is known of models. */
  heard = $state(false);
  /** Every model by its id, those of other servers included. */
  readonly models = new SvelteMap<string, Standing>();
  rules = $state.raw<Rules | undefined>();
  /** Requests that are being served, by their number. */
  readonly flights = new SvelteMap<string, Flying>();
  /** How busy the machine was, the last ten minutes. */
  samples = $state.raw<readonly Sample[]>([]);
  readonly pulls = new SvelteMap<string, Pull>();
  /** What fires, and how every rule stands. */
  alerts = $state.raw<AlertsNow | undefined>();
  /** The health and the cards. */
  glance = $state.raw<Glance>({ health: null, gpus: null });
  readonly benchmarks = new SvelteMap<string, BenchmarkOrder>();
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
    stream.on("flights", (news) => this.fly(news));
    stream.on("machine", ({ samples }) => this.measure(samples));
    stream.on("config", (news) => (this.config = news));
    stream.on("profileChanged", ({ active }) => (this.profile = active));
    stream.on("alerts", (alerts) => (this.alerts = alerts));
    stream.on("glance", (glance) => glance.gpus && (this.glance = glance));
    stream.on("benchmark", (order) => this.benchmarks.set(order.id, order));
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

  private fly({ whole, rows, grown, gone }: Flights): void {
    if (whole) this.flights.clear();
    for (const row of rows) this.flights.set(row.id, row);
    for (const [id, bytes] of Object.entries(grown)) {
      const row = this.flights.get(id);
      if (row) this.flights.set(id, { ...row, resp_bytes: bytes });
    }
    for (const id of gone) this.flights.delete(id);
  }

  /** A page that comes back is told again what it knows. */
  private measure(fresh: readonly Sample[]): void {
    const last = this.samples.at(-1)?.at ?? 0;
    const first = fresh[0]?.at ?? 0;
    const known = first > last ? this.samples : this.samples.filter((sample) => sample.at < first);
    this.samples = [...known, ...fresh].slice(-SAMPLES);
  }
}

export const house = new House();
