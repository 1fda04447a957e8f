// What may stand where in the file: the server's JSON Schema, walked by the path of a place in the text.

export interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema | true>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  enum?: unknown[];
  examples?: unknown[];
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
}

/** A step is a key, or "-" for an entry of a list. */
export type Path = readonly string[];

export function under(schema: Schema | undefined, path: Path): Schema | undefined {
  let here: Schema | undefined = schema;
  for (const step of path) {
    if (!here) return undefined;
    if (step === "-") here = here.items;
    else {
      const named = here.properties?.[step];
      const other = typeof here.additionalProperties === "object" ? here.additionalProperties : undefined;
      here = typeof named === "object" ? named : other;
    }
  }
  return here;
}

export interface Known {
  name: string;
  about: string;
  kind: string;
  /** What follows the colon when it is put in: a value, or a block below it. */
  opens: "value" | "block" | "list";
}

export function keysOf(schema: Schema | undefined): Known[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, key]) =>
    typeof key === "object" ? [{ name, about: key.description ?? "", kind: kindOf(key), opens: opens(key) }] : [],
  );
}

function types(schema: Schema): string[] {
  return [schema.type ?? []].flat().filter((type) => type !== "null");
}

function opens(schema: Schema): Known["opens"] {
  const all = types(schema);
  return all.includes("object") ? "block" : all.includes("array") ? "list" : "value";
}

/** For people: what may be written there. */
export function kindOf(schema: Schema): string {
  const words = wordsOf(schema);
  if (words.length && !types(schema).includes("boolean")) return words.join(" | ");
  const all = [schema, ...(schema.anyOf ?? [])].flatMap(types);
  if (all.includes("object")) return schema.properties ? "section" : "mapping";
  if (all.includes("array")) return "list";
  if (all.includes("boolean") && !all.includes("number")) return "true | false";
  if (all.includes("integer") || (all.includes("number") && !all.includes("boolean"))) return "number";
  return all.length ? "text" : "anything";
}

/** The values that can be named. */
export function wordsOf(schema: Schema | undefined): string[] {
  if (!schema) return [];
  const all = [schema, ...(schema.anyOf ?? [])];
  const named = all.flatMap((each) => each.enum ?? each.examples ?? []).filter((word) => word !== null && word !== "");
  if (named.length) return named.map(String);
  const kinds = types(schema);
  return kinds.includes("boolean") && !kinds.includes("number") ? ["true", "false"] : [];
}

/** "0", "10m", "none": the default as it would be written; empty where there is none. */
export function defaultOf(schema: Schema): string {
  if (schema.default === undefined || schema.default === null) return "";
  if (Array.isArray(schema.default)) return schema.default.length ? schema.default.join(", ") : "an empty list";
  return schema.default === "" ? "empty" : String(schema.default);
}
