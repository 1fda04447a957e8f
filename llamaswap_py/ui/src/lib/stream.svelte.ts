// The one stream of events: who wants to hear a kind of them says so, and everybody sees whether it is alive.

import { at } from "./ask";

export type Connection = "connecting" | "live" | "stale" | "reconnecting";
type Hear = (data: never) => void;

// The server's heartbeat is 15 s; an EventSource does not show its comments, but whatever is said resets this.
const NAMED = ["swap", "config", "pull", "standings", "speeds", "alert"] as const;
const AGAIN_MS = 2000;

export class Stream {
  connection = $state<Connection>("connecting");
  /** When the last word came, by performance.now(). */
  heard = 0;
  private source: EventSource | undefined;
  private readonly ears = new Map<string, Set<Hear>>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly path = "api/events") {}

  /** `data` is what the event's inner text holds. Nobody's events are not even read. */
  on<T>(type: string, hear: (data: T) => void): () => void {
    const ears = this.ears.get(type) ?? new Set();
    this.ears.set(type, ears);
    ears.add(hear as Hear);
    return () => ears.delete(hear as Hear);
  }

  open(): void {
    if (this.source) return;
    const source = (this.source = new EventSource(at(this.path)));
    source.onopen = () => {
      this.heard = performance.now();
      this.connection = "live";
    };
    const take = ({ data }: MessageEvent<string>) => this.take(data);
    source.onmessage = take;
    for (const name of NAMED) source.addEventListener(name, take as EventListener);
    source.onerror = () => {
      this.connection = "reconnecting";
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      this.close();
      this.timer = setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  take(text: string): void {
    this.heard = performance.now();
    if (this.connection !== "live") this.connection = "live";
    const { type, data } = JSON.parse(text) as { type: string; data: string };
    const ears = this.ears.get(type);
    if (!ears?.size) return;
    const inner = JSON.parse(data) as never;
    for (const hear of ears) hear(inner);
  }
}
