// The one stream of events: who wants to hear a kind of them says so, and everybody sees whether it is alive.

import { at } from "./ask";
import type { Events } from "./shapes";

export type Connection = "connecting" | "live" | "stale" | "reconnecting";
type Hear = (data: never) => void;

// Those that are not called `message`.
const NAMED = ["swap", "config", "pull", "standings", "rules", "beat", "flights", "finished", "machine", "alert", "alerts", "glance", "benchmark"];
// Told better by others of them, or by a stream of its own: `?without` spares the server the making.
const WITHOUT = ["logData", "modelStatus", "loading", "inflight", "activity", "uiConfig"] as const;
type Told = Omit<Events, (typeof WITHOUT)[number]>;
const BEAT_MS = 15_000; // the server says something at least as often
const AGAIN_MS = 2000;

export class Stream {
  connection = $state<Connection>("connecting");
  private heard = 0;
  private source: EventSource | undefined;
  private readonly ears = new Map<string, Set<Hear>>();
  private again: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly path = `api/events?without=${WITHOUT.join(",")}`) {}

  /** `data` is what the event holds. Events of which nobody wants to hear are not even read. */
  on<T extends keyof Told>(type: T, hear: (data: Told[T]) => void): () => void {
    const ears = this.ears.get(type) ?? new Set();
    this.ears.set(type, ears);
    ears.add(hear as Hear);
    return () => ears.delete(hear as Hear);
  }

  open(): void {
    if (this.source) return;
    const source = (this.source = new EventSource(at(this.path)));
    const take = ({ data }: MessageEvent<string>) => this.take(data);
    source.onopen = () => this.alive();
    source.onmessage = take;
    for (const name of NAMED) source.addEventListener(name, take as EventListener);
    source.onerror = () => {
      this.connection = "reconnecting";
      if (source.readyState === EventSource.CLOSED) this.reopen(); // else the browser tries by itself
    };
    this.watch ??= setInterval(() => this.look(), BEAT_MS / 3);
  }

  close(): void {
    clearTimeout(this.again);
    clearInterval(this.watch);
    this.watch = undefined;
    this.source?.close();
    this.source = undefined;
  }

  /** A connection can be dead without anybody having said so: a laptop that slept, a phone out of reach. */
  private look(): void {
    const silence = performance.now() - this.heard;
    if (this.connection === "live" && silence > 2 * BEAT_MS) this.connection = "stale";
    if (this.connection === "stale" && silence > 3 * BEAT_MS) this.reopen();
  }

  private reopen(): void {
    this.connection = "reconnecting";
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.again);
    this.again = setTimeout(() => this.open(), AGAIN_MS);
  }

  private alive(): void {
    this.heard = performance.now();
    if (this.connection !== "live") this.connection = "live";
  }

  /** One event, as it came. */
  take(text: string): void {
    this.alive();
    const { type, data } = JSON.parse(text) as { type: string; data: string };
    const ears = this.ears.get(type);
    if (!ears?.size) return;
    const inner = JSON.parse(data) as never;
    for (const hear of ears) hear(inner);
  }
}
