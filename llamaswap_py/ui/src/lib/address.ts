// Where things are: the root of the API under whatever sub-path, and the views as they stand behind the `#`.

/** The folder above `/ui/`, so that everything works behind a proxy that puts it under a sub-path. */
export function rootOf(page: string): URL {
  const url = new URL(page);
  url.hash = "";
  url.search = "";
  url.pathname = url.pathname.replace(/\/ui(\/.*)?$/, "/");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** An id as part of a path: the slashes of ids stay. */
export function inPath(id: string): string {
  return encodeURIComponent(id).replaceAll("%2F", "/");
}

export interface Place {
  view: string;
  /** What comes after the view, decoded: a model's id, a request's number. */
  rest: string;
  options: URLSearchParams;
}

/** `#/logs/qwen?level=warn` → logs, qwen, level=warn */
export function placeOf(hash: string): Place {
  const [path = "", query = ""] = split(hash.replace(/^#?\/?/, ""), "?");
  const [view = "", rest = ""] = split(path, "/");
  return { view: decoded(view), rest: decoded(rest), options: new URLSearchParams(query) };
}

export function hashOf(view: string, rest = "", options: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value) query.set(name, value);
  const text = query.toString();
  return `#/${view}${rest ? `/${inPath(rest)}` : ""}${text ? `?${text}` : ""}`;
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
