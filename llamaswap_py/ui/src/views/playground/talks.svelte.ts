// The conversations, the one that is open, and the answers under way. They go on while another view is open.

import { askJson } from "../../lib/ask";
import { house } from "../../lib/house.svelte";
import type { Processes, Standing } from "../../lib/shapes";
import { toasts } from "../../lib/toasts.svelte";
import { fresh, isOpen, shown, type Answer } from "./answer";
import { converse } from "./asking";
import { forget, keep, kept } from "./keeping";
import { PLAIN, request, titleOf, type Attachment, type Column, type Settings, type Talk, type Turn } from "./talk";
import { plan } from "./together";

const KEEP_MS = 3000; // so much of an answer is lost at most when the page is closed

const name = () => crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36), "");

class Talks {
  all = $state<Talk[]>([]);
  open = $state<Talk>(blank());
  read = $state(false);
  /** What is said to who listens instead of looking. */
  spoken = $state("");
  private readonly stops = new Map<string, AbortController>();

  async load(): Promise<void> {
    if (this.read) return;
    this.read = true;
    try {
      const known = new Set(this.all.map((talk) => talk.id));
      const found = await kept();
      for (const talk of found) settle(talk);
      this.all = [...this.all, ...found.filter((talk) => !known.has(talk.id))];
    } catch (error) {
      toasts.error(error);
    }
  }

  begin(): void {
    this.open = blank(this.open.settings);
  }

  choose(id: string): void {
    const found = this.all.find((talk) => talk.id === id);
    if (found) this.open = found;
  }

  async rename(talk: Talk, title: string): Promise<void> {
    talk.title = title.trim() || titleOf(talk.turns[0]?.text ?? "");
    talk.named = true;
    await this.keep(talk);
  }

  async remove(talk: Talk): Promise<void> {
    this.stop(talk);
    this.all = this.all.filter((each) => each.id !== talk.id);
    if (this.open.id === talk.id) this.begin();
    await forget(talk.id);
  }

  async keep(talk: Talk): Promise<void> {
    if (!this.all.some((each) => each.id === talk.id)) return;
    try {
      await keep($state.snapshot(talk) as Talk);
    } catch (error) {
      toasts.error(error);
    }
  }

  // ---- asking

  isBusy(talk: Talk): boolean {
    return talk.turns.some((turn) => turn.columns.some((column) => column.answers.some(isOpen)));
  }

  /** A new turn, for every model one column. */
  async send(models: readonly Standing[], text: string, attachments: Attachment[]): Promise<void> {
    if (!this.open.turns.length) {
      this.open.title = titleOf(text || attachments[0]?.name || "");
      this.all = [this.open, ...this.all];
      this.open = this.all[0]!;
    }
    const talk = this.open;
    talk.models = models.map((model) => model.id);
    const columns = models.map((model) => ({ model: model.id, answers: [], at: 0 }));
    talk.turns.push({ id: name(), text, attachments, columns });
    await this.answer(talk, talk.turns.length - 1, models);
  }

  /** The same question anew; what follows it is taken away. */
  async edit(talk: Talk, turn: Turn, text: string, models: readonly Standing[]): Promise<void> {
    this.stop(talk);
    const index = talk.turns.findIndex((each) => each.id === turn.id);
    talk.turns.splice(index);
    if (index === 0 && !talk.named) talk.title = titleOf(text);
    talk.models = models.map((model) => model.id);
    const columns = models.map((model) => ({ model: model.id, answers: [], at: 0 }));
    talk.turns.push({ id: name(), text, attachments: turn.attachments, columns });
    await this.answer(talk, index, models);
  }

  /** Another answer beside the earlier ones. */
  async regenerate(talk: Talk, turn: Turn, column: Column): Promise<void> {
    const model = house.models.get(column.model);
    const index = talk.turns.findIndex((each) => each.id === turn.id);
    await this.answer(talk, index, model ? [model] : [{ id: column.model, peer: "", group: "", state: "stopped" }]);
  }

  stop(talk: Talk): void {
    for (const turn of talk.turns)
      for (const column of turn.columns)
        for (const answer of column.answers) this.halt(answer);
  }

  halt(answer: Answer): void {
    this.stops.get(answer.id)?.abort();
    if (isOpen(answer)) answer.stage = "stopped";
  }

  /** In batches: those of a batch may be up together, and are asked at once. */
  private async answer(talk: Talk, index: number, models: readonly Pick<Standing, "id" | "peer" | "group" | "state">[]): Promise<void> {
    const turn = talk.turns[index]!;
    talk.changed = Date.now();
    const begun = models.map((model) => {
      const column = turn.columns.find((each) => each.model === model.id)!;
      column.answers.push(fresh(name(), model.id));
      column.at = column.answers.length - 1;
      return { model, answer: column.answers[column.at]! };
    });
    this.spoken = `${models.map((model) => model.id).join(", ")} was asked.`;
    void this.keep(talk);
    for (const batch of plan(models, house.rules)) {
      const answers = begun.filter(({ model }) => batch.includes(model)).map((each) => each.answer);
      await Promise.all(answers.map((answer) => this.one(talk, index, answer)));
    }
    talk.changed = Date.now();
    await this.keep(talk);
  }

  private async one(talk: Talk, index: number, answer: Answer): Promise<void> {
    if (!isOpen(answer)) return; // stopped while others were asked
    const stop = new AbortController();
    this.stops.set(answer.id, stop);
    answer.sent = Date.now();
    const leave = watch(answer);
    const keeping = setInterval(() => void this.keep(talk), KEEP_MS);
    await converse(request(talk, index, answer.model), answer, stop.signal);
    clearInterval(keeping);
    await this.keep(talk);
    await weigh(answer);
    leave(); // not before: of a quick answer the end may be here sooner than the news of its beginning
    this.stops.delete(answer.id);
    this.spoken = spoken(answer);
  }
}

/** Follows the model's standing: when it was up, and the memory that it took at most. */
function watch(answer: Answer): () => void {
  let wasDown = house.models.get(answer.model)?.state !== "ready" && house.models.get(answer.model)?.state !== "remote";
  const look = () => {
    const model = house.models.get(answer.model);
    if (!model) return;
    if (model.memory) answer.figures.memory = Math.max(answer.figures.memory ?? 0, model.memory);
  };
  const leaves = [
    house.stream.on("standings", look),
    house.stream.on("swap", ({ model, state }) => {
      if (!wasDown || model !== answer.model || state !== "ready") return;
      wasDown = false;
      const told = Date.now() - answer.sent;
      answer.figures.waited = Math.min(told, answer.figures.first ?? told);
    }),
  ];
  return () => (look(), leaves.forEach((leave) => leave()));
}

/** Once more at the end: a quick answer is over before the events tell of memory. */
async function weigh(answer: Answer): Promise<void> {
  try {
    const { models } = await askJson<Processes>("api/processes");
    const now = models[answer.model]?.memory_bytes ?? 0;
    if (now) answer.figures.memory = Math.max(answer.figures.memory ?? 0, now);
  } catch {
    // a figure less
  }
}

function spoken(answer: Answer): string {
  if (answer.stage === "failed") return `${answer.model} could not answer: ${answer.trouble?.message ?? ""}`;
  const { text: all } = shown(answer);
  const text = all.length > 1500 ? `${all.slice(0, 1500)} …` : all;
  return answer.stage === "stopped" ? `The answer of ${answer.model} was stopped.` : `${answer.model} answered: ${text}`;
}

/** Answers that were under way when the page was closed. */
function settle(talk: Talk): void {
  for (const turn of talk.turns)
    for (const column of turn.columns)
      for (const answer of column.answers) if (isOpen(answer)) answer.stage = "stopped";
}

function blank(settings: Settings = PLAIN): Talk {
  return { id: name(), title: "New conversation", named: false, changed: Date.now(), models: [], settings: { ...settings }, turns: [] };
}

export const talks = new Talks();
