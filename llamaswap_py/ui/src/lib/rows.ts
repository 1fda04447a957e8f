// What the routes and events say of models, as far as this page uses it.

export type State = "stopped" | "starting" | "ready" | "stopping" | "failed" | "gave-up" | "disabled" | "leaked";

/** `modelStatus`: every model, those of peers included. */
export interface StatusRow {
  id: string;
  name: string;
  description: string;
  state: string;
  unlisted: boolean;
  peerID: string;
  aliases?: string[];
  capabilities?: Record<string, boolean>;
  context_length?: number;
}

export interface Load {
  seconds: number;
  percent: number | null;
  left: number | null;
}

/** `/running`: those of which there is more to say than that they are down. */
export interface RunningRow {
  model: string;
  state: State;
  cmd: string;
  proxy: string;
  ttl: number;
  name: string;
  description: string;
  pid: number | null;
  seated: number;
  waiting: number;
  pinned?: boolean;
  loading?: Load;
  why?: string;
  leaked?: number[];
}

export interface Candidate {
  model: string;
  state: string;
  seated: number;
  waiting: number;
  unused: number;
  pinned: boolean;
}

export interface Eviction {
  wanted: string;
  caller: string;
  waiting: number;
  waited: number;
  rule: string;
  chosen: string[];
  candidates: Candidate[];
}

export interface Waiter {
  model: string;
  position: number;
  caller: string;
  waited: number;
}

export interface Running {
  running: RunningRow[];
  waiting: Record<string, number>;
  queue?: Waiter[];
  evicted?: Record<string, Eviction>;
}

export interface InflightRow {
  id: string;
  timestamp: string;
  model: string;
  req_path: string;
  method?: string;
  resp_bytes?: number;
  elapsed_ms?: number;
  [more: string]: unknown;
}

export type InflightNews =
  | { operation: "snapshot"; requests: InflightRow[] | null }
  | { operation: "upsert"; request: InflightRow }
  | { operation: "remove"; id: string };

export interface Swap {
  model: string;
  run: number;
  state: State;
  why: string;
  seconds: number;
}

export interface Mistake {
  file?: string;
  line?: number;
  column?: number;
  key?: string;
  message?: string;
  remedy?: string;
}

export interface ConfigNews {
  state: "loaded" | "refused";
  mistakes: (string | Mistake)[];
}

export interface Pull {
  id: string;
  repo: string;
  state: string;
  total: number;
  done: number;
  speed: number;
  left: number | null;
  error?: { code: string; message: string } | null;
  [more: string]: unknown;
}
