// Which requests are looked at: as it stands in the address, as the server is asked, and whether a new row is one of them.

import type { Activity } from "../../lib/shapes";

export interface Filters {
  model: string;
  /** `2xx`, `4xx`, `5xx` */
  status: string;
  api: string;
  caller: string;
  /** `15m`, `1h`, `24h`, `7d`: how far back. */
  since: string;
  /** How the id of the request, or its session, begins. */
  text: string;
}

export interface Order {
  by: string;
  descending: boolean;
}

export const STATUSES = { "2xx": "Answered", "4xx": "Refused (4xx)", "5xx": "Failed (5xx)" } as const;
export const SPANS: Record<string, [words: string, seconds: number]> = {
  "15m": ["Last 15 minutes", 900],
  "1h": ["Last hour", 3600],
  "24h": ["Last 24 hours", 86_400],
  "7d": ["Last 7 days", 604_800],
};
export const APIS: Record<string, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  responses: "Responses",
  llamacpp: "llama-server’s own",
  audio: "Audio",
  images: "Images",
  other: "Others",
};
export const NEWEST: Order = { by: "id", descending: true };

export function filtersOf(options: URLSearchParams): Filters {
  const get = (name: string) => options.get(name) ?? "";
  return {
    model: get("model"),
    status: get("status") in STATUSES ? get("status") : "",
    api: get("api"),
    caller: get("caller"),
    since: get("since") in SPANS ? get("since") : "",
    text: get("q"),
  };
}

/** `?sort=duration` sorts by it, the largest first; `?sort=-duration` the smallest. */
export function orderOf(options: URLSearchParams): Order {
  const said = options.get("sort") ?? "";
  const by = said.replace(/^-/, "");
  return by ? { by, descending: !said.startsWith("-") } : NEWEST;
}

export function sortOption({ by, descending }: Order): string | undefined {
  if (by === "id" && descending) return undefined;
  return descending ? by : `-${by}`;
}

export function isNewest(order: Order): boolean {
  return order.by === "id" && order.descending;
}

/** `now`: unix seconds. */
export function asked(filters: Filters, now: number): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ["model", "status", "api", "caller", "text"] as const) {
    if (filters[name].trim()) query.set(name, filters[name].trim());
  }
  const span = SPANS[filters.since];
  if (span) query.set("start", new Date((now - span[1]) * 1000).toISOString().slice(0, 19) + "Z");
  return query;
}

/** As the server would find it: for rows that are told. Those are new, so that no span is too short for them. */
export function fits(row: Activity, filters: Filters): boolean {
  const { api, caller, request, session } = row.details ?? {};
  const text = filters.text.trim();
  return (
    (!filters.model || row.model === filters.model) &&
    (!filters.status || Math.floor(row.resp_status_code / 100) === Number(filters.status[0])) &&
    (!filters.api || api === filters.api) &&
    (!filters.caller || caller === filters.caller) &&
    (!text || [request, session].some((each) => each?.startsWith(text)))
  );
}
