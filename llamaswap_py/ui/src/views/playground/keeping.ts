// Conversations in the browser's own database; in memory where it has none (a private window).

import type { Talk } from "./talk";

const NAME = "llamaswap";
const STORE = "conversations";

let opened: Promise<IDBDatabase | undefined> | undefined;
const inMemory = new Map<string, Talk>();

function database(): Promise<IDBDatabase | undefined> {
  opened ??= new Promise((resolve) => {
    if (typeof indexedDB === "undefined") return resolve(undefined);
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = asked.onblocked = () => resolve(undefined);
  });
  return opened;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's database refused."));
  });
}

/** True: they outlive the page. */
export async function lasting(): Promise<boolean> {
  return (await database()) !== undefined;
}

/** The latest first. */
export async function kept(): Promise<Talk[]> {
  const db = await database();
  const all = db ? await done<Talk[]>(db.transaction(STORE).objectStore(STORE).getAll()) : [...inMemory.values()];
  return all.sort((one, other) => other.changed - one.changed);
}

export async function keep(talk: Talk): Promise<void> {
  const db = await database();
  if (db) await done(db.transaction(STORE, "readwrite").objectStore(STORE).put(talk));
  else inMemory.set(talk.id, talk);
}

export async function forget(id: string): Promise<void> {
  const db = await database();
  if (db) await done(db.transaction(STORE, "readwrite").objectStore(STORE).delete(id));
  else inMemory.delete(id);
}
