// Questions and orders to the server, and its refusals as errors that can be shown to a person.

import { rootOf } from "./address";

export const root = rootOf(typeof document === "undefined" ? "http://localhost/ui/" : document.baseURI);

/** The address of a route: `at("api/events")`. */
export function at(path: string): URL {
  return new URL(path.replace(/^\//, ""), root);
}

/** A refusal of ours: `message` is a sentence for people. `status` is 0 where no answer came. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = "Refused";
  }
}

export function refusalFrom(status: number, statusText: string, body: string, retryAfter: string | null): Refused {
  const after = retryAfter === null ? undefined : Number(retryAfter) || undefined;
  try {
    const { error } = JSON.parse(body) as { error: { message: string; code?: string; type?: string } };
    if (typeof error.message === "string") return new Refused(error.message, status, error.code ?? error.type ?? "", after);
  } catch {
    // not one of our refusals: its status says what there is to say
  }
  return new Refused(`The server answered ${status} ${statusText}`.trim(), status, "", after);
}

export async function ask(path: string | URL, options?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(typeof path === "string" ? at(path) : path, options);
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new Refused("The server does not answer. Is it still running?", 0, "unreachable");
  }
  if (response.ok) return response;
  throw refusalFrom(response.status, response.statusText, await response.text(), response.headers.get("Retry-After"));
}

export async function askJson<T>(path: string | URL, options?: RequestInit): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

/** POST (or another method) with a JSON body. */
export async function send<T = unknown>(path: string, body?: unknown, method = "POST"): Promise<T> {
  const response = await ask(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  const text = await response.text();
  return (response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text) as T;
}
