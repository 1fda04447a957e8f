// What lies on the desk: one file of the configuration as it was read, what was made of it, and what the server says.
// It outlives the view, so that nothing is lost by looking at something else.

import { at, askJson, Refused, refusalFrom } from "../../lib/ask";
import { house } from "../../lib/house.svelte";
import type { ConfigFile, ConfigFiles, ConfigText, Diff, Saved, Verdict } from "../../lib/shapes";
import { toasts } from "../../lib/toasts.svelte";
import type { Marked } from "./editor";

const CHECK_MS = 350;
const MARK = "\ufeff";

/** A save that was refused, with what is wrong. */
export class NotAccepted extends Refused {
  constructor(
    refused: Refused,
    readonly verdict: Verdict,
  ) {
    super(refused.message, refused.status, refused.code);
  }
}

export function query(path: string, options: Record<string, string | undefined>): URL {
  const url = at(path);
  for (const [name, value] of Object.entries(options)) if (value) url.searchParams.set(name, value);
  return url;
}

class Desk {
  files = $state.raw<ConfigFile[]>([]);
  folder = $state<string | null>(null);
  /** As it was read: what a save replaces. */
  base = $state.raw<ConfigText>();
  /** Without the mark at the beginning, and with "\n" alone, as the editor has it. */
  text = $state("");
  verdict = $state.raw<Verdict>();
  checking = $state(false);
  trouble = $state.raw<unknown>();
  /** The file as somebody else has saved it since. */
  theirs = $state.raw<ConfigText>();
  /** What the editor shall show next. */
  wanted = $state.raw<{ line: number; column?: number; count?: number }>();
  /** Rises with each text that did not come from the editor. */
  given = $state(0);

  readonly changed = $derived(this.base !== undefined && this.written() !== this.base.text);
  /** There is no file yet: what is shown is what is served without one. */
  readonly isNew = $derived(this.base?.exists === false);
  readonly mistakes = $derived(marked(this.verdict));

  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;
  private isSaving = false; // its own change is no news

  constructor() {
    house.stream.on("config", () => void this.heard());
  }

  /** The text as it is saved: with the line breaks and the mark that the file had. */
  written(text = this.text): string {
    const before = this.base?.text ?? "";
    if (text === shown(before)) return before; // to the last byte, whatever its line breaks are
    const isWindows = /\r\n/.test(before) && !/[^\r]\n/.test(before);
    return (before.startsWith(MARK) ? MARK : "") + (isWindows ? text.replaceAll("\n", "\r\n") : text);
  }

  async open(file?: string): Promise<void> {
    if (this.base && (!file || file === this.base.file)) return this.heard();
    await this.read(file);
  }

  async read(file?: string): Promise<void> {
    try {
      const [files, base] = await Promise.all([askJson<ConfigFiles>("api/config/files"), this.fetched(file)]);
      this.files = files.files;
      this.folder = files.folder;
      this.take(base);
      this.trouble = undefined;
    } catch (error) {
      this.trouble = error;
    }
  }

  fetched(file?: string): Promise<ConfigText> {
    return askJson<ConfigText>(query("api/config/text", { file }));
  }

  private take(base: ConfigText): void {
    this.base = base;
    this.theirs = undefined;
    this.give(shown(base.text));
  }

  /** A file of the folder that is not there yet. */
  begin(name: string): void {
    const file = `${this.folder}/${name}`;
    this.take({ file, text: "", tag: "", exists: false, changed: null, writable: true });
  }

  /** Another text that is not saved. */
  give(text: string, show?: { line: number; column?: number; count?: number }): void {
    this.text = text;
    this.given++;
    this.wanted = show;
    this.check(0);
  }

  edit(text: string): void {
    this.text = text;
    this.check();
  }

  /** Somebody has saved a file, perhaps this page. */
  private async heard(): Promise<void> {
    const { base } = this;
    if (!base || this.isSaving) return;
    try {
      const now = await this.fetched(base.file);
      if (this.isSaving || now.tag === this.base?.tag || now.file !== this.base?.file) return;
      if (this.changed) this.theirs = now;
      else {
        this.take(now);
        toasts.note(`${nameOf(now.file)} was changed on the disk; this is how it is now`);
      }
    } catch {
      return; // the connection's own sign tells, or the next save
    }
  }

  check(after = CHECK_MS): void {
    clearTimeout(this.timer);
    this.checking = true;
    this.timer = setTimeout(() => void this.checked(), after);
  }

  private async checked(): Promise<void> {
    const number = ++this.asked;
    const isEmpty = !this.text.trim();
    try {
      const verdict = isEmpty ? EMPTY : await this.tried<Verdict>("check");
      if (number !== this.asked) return;
      this.verdict = verdict;
    } catch (error) {
      if (number === this.asked) this.trouble = error;
    } finally {
      if (number === this.asked) this.checking = false;
    }
  }

  tried<T>(what: "check" | "diff", text = this.text): Promise<T> {
    return askJson<T>(query(`api/config/${what}`, { file: this.base?.file }), { method: "POST", body: this.written(text) });
  }

  preview(text = this.text): Promise<Diff> {
    return this.tried<Diff>("diff", text);
  }

  /** Raises NotAccepted with the mistakes; Refused 412 where it was changed meanwhile, which `theirs` then holds. */
  async save(mayDisable: boolean): Promise<Saved> {
    const { base, text } = this;
    const url = query("api/config/text", { file: base!.file, disabling: mayDisable ? "true" : undefined });
    return this.stored(url, "PUT", base!, this.written(text), text);
  }

  /** An earlier version is taken again, whatever the editor holds. */
  async restore(id: string, base: ConfigText, mayDisable: boolean): Promise<Saved> {
    return this.stored(query(`api/config/history/${id}/restore`, { disabling: mayDisable ? "true" : undefined }), "POST", base);
  }

  private async stored(url: URL, method: string, base: ConfigText, body?: string, text?: string): Promise<Saved> {
    this.isSaving = true;
    try {
      return await this.storing(url, method, base, body, text);
    } finally {
      this.isSaving = false;
    }
  }

  private async storing(url: URL, method: string, base: ConfigText, body?: string, text?: string): Promise<Saved> {
    const condition: Record<string, string> = base.exists ? { "If-Match": `"${base.tag}"` } : { "If-None-Match": "*" };
    const response = await fetch(url, { method, headers: condition, ...(body === undefined ? {} : { body }) }).catch(() => undefined);
    if (!response) throw new Refused("The server does not answer. Is it still running? Nothing is known to be saved.", 0, "unreachable");
    const answer = await response.text();
    if (!response.ok) {
      const refused = refusalFrom(response.status, response.statusText, answer, null);
      if (response.status === 422) throw new NotAccepted(refused, JSON.parse(answer) as Verdict);
      if (response.status === 412) this.theirs = await this.fetched(base.file).catch(() => undefined);
      throw refused;
    }
    const saved = JSON.parse(answer) as Saved;
    if (body !== undefined && this.base?.file === saved.file) {
      this.base = { ...base, exists: true, tag: saved.tag, text: body, changed: Date.now() / 1000 };
      this.theirs = undefined;
      if (this.text === text) this.verdict = saved;
      this.files = (await askJson<ConfigFiles>("api/config/files").catch(() => ({ files: this.files }))).files;
    } else {
      const now = await this.fetched(saved.file);
      if (this.changed) this.theirs = now;
      else this.take(now);
    }
    return saved;
  }

  /** Mine stays and replaces theirs when it is saved. */
  keepMine(text = this.text): void {
    const { theirs } = this;
    if (!theirs) return;
    this.base = theirs;
    this.theirs = undefined;
    this.give(text);
  }

  takeTheirs(): void {
    if (this.theirs) this.take(this.theirs);
  }

  undo(): void {
    if (this.base) this.give(shown(this.base.text));
  }
}

const EMPTY: Verdict = {
  accepted: false,
  mistakes: [{ file: "", line: 0, column: 0, key: "", message: "the file is empty", remedy: "Write at least one model into it." }],
  warnings: [],
  disabled: {},
};

/** As the editor has it. */
export function shown(text: string): string {
  return text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
}

export function nameOf(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? file;
}

export interface Told extends Marked {
  /** Of the model that it disables. */
  model?: string;
}

export function marked(verdict: Verdict | undefined): Told[] {
  if (!verdict) return [];
  const wrong = verdict.mistakes.map((each): Told => ({ ...each, severity: "error" }));
  const disabled = Object.entries(verdict.disabled).flatMap(([model, all]) => all.map((each): Told => ({ ...each, severity: "error", model })));
  const warnings = verdict.warnings.map((each): Told => ({ ...each, severity: "warning" }));
  return [...wrong, ...disabled, ...warnings];
}

export const desk = new Desk();
