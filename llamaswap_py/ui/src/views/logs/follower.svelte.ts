// One log as it is written: the server's events into lines, and word of it once a frame, however much came.

import { inPath } from "../../lib/address";
import { ask, at } from "../../lib/ask";
import type { LogPiece } from "../../lib/shapes";
import { bytes, count } from "../../lib/words";
import { Lines } from "./lines";

export type Connection = "connecting" | "live" | "reconnecting" | "refused";

const AGAIN_MS = 2000;

export class Follower {
  readonly lines = new Lines();
  connection = $state<Connection>("connecting");
  /** Why there is no such log. */
  refusal = $state("");
  /** Another number: the lines have changed. */
  version = $state(0);
  /** Bytes that came faster than they could be told. */
  lost = $state(0);

  private events: EventSource | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;

  constructor(readonly source: string) {}

  open(): void {
    const events = (this.events = new EventSource(at(`logs/stream/${inPath(this.source)}`)));
    events.onopen = () => {
      this.connection = "live";
      this.changed();
    };
    events.onmessage = ({ data }: MessageEvent<string>) => this.take(JSON.parse(data) as LogPiece);
    events.onerror = () => {
      if (this.connection !== "connecting") this.connection = "reconnecting";
      if (events.readyState === EventSource.CLOSED) void this.fail();
    };
  }

  close(): void {
    this.events?.close();
    this.events = undefined;
    clearTimeout(this.again);
    cancelAnimationFrame(this.frame);
  }

  /** The view looks at the lines anew with the next frame; in a tab that nobody sees, when somebody does. */
  changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.version += 1;
    });
  }

  private take({ text, lost, whole }: LogPiece): void {
    if (whole) this.lines.clear();
    if (lost) {
      this.lost += lost;
      this.lines.gap(`— ${count(lost)} bytes (${bytes(lost)}) came faster than they could be shown —`);
    }
    this.lines.push(text);
    this.changed();
  }

  /** An EventSource does not say why it gave up: asked without following, the server does. */
  private async fail(): Promise<void> {
    try {
      await ask(`logs/stream/${inPath(this.source)}?no-history&no-follow`);
    } catch (error) {
      const status = error instanceof Error && "status" in error ? error.status : 0;
      if (status && error instanceof Error) {
        this.connection = "refused";
        this.refusal = error.message;
        return;
      }
    }
    this.connection = "reconnecting";
    if (this.events) this.again = setTimeout(() => this.events && this.open(), AGAIN_MS);
  }
}
