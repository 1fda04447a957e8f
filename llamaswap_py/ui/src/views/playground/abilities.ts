// What a model may be asked for, as far as is known: its capabilities, else its kind.

import type { Standing } from "../../lib/shapes";

export const TASKS = {
  chat: "Chat",
  embeddings: "Embeddings",
  rerank: "Rerank",
  speech: "Speech",
  transcription: "Transcription",
  images: "Images",
} as const;
export type Task = keyof typeof TASKS;

const FLAGS = { rerank: "reranker", speech: "audio_speech", transcription: "audio_transcriptions", images: "image_generation" } as const;
const KINDS = Object.values(FLAGS) as string[];
const EMBEDDERS = /bert|embed|(^|[-_/])(bge|gte|e5)([-_]|$)/i;

type Able = Pick<Standing, "id" | "name" | "capabilities" | "architecture">;

export const isEmbedder = (model: Able) => !model.capabilities.reranker && EMBEDDERS.test(`${model.id}\n${model.architecture}`);

/** It says of itself that it does something else than talk. */
function isSpecial({ capabilities }: Able): boolean {
  return KINDS.some((flag) => capabilities[flag]) && !capabilities.function_calling && !capabilities.vision;
}

/** "" where it may be asked, else why not. */
export function obstacle(model: Able, task: Task): string {
  const { id, capabilities } = model;
  if (task === "chat") {
    if (isSpecial(model)) return `${id} does not chat: its capabilities name other work`;
    return isEmbedder(model) ? `${id} makes vectors, not answers` : "";
  }
  if (task === "embeddings") return isSpecial(model) ? `${id} makes no vectors: its capabilities name other work` : "";
  if (capabilities[FLAGS[task]]) return "";
  return `${id} is not said to do this. If it does, write it under capabilities in its configuration: ${HOW[task]}`;
}

const HOW = {
  rerank: "reranker: true",
  speech: "in: [text], out: [audio]",
  transcription: "in: [audio], out: [text]",
  images: "in: [text], out: [image]",
} as const;

/** Why nobody can be asked; "" where somebody can. */
export function missing(models: readonly Able[], task: Task): string {
  if (models.some((model) => !obstacle(model, task))) return "";
  if (task === "chat" || task === "embeddings") return "No model here can do this.";
  return `No model here is said to do this. One that does has in its configuration, under capabilities: ${HOW[task]}`;
}

/** "" where it takes them. Where a model's capabilities are not written down, its server decides. */
export function refusesAttachment({ id, capabilities }: Able, kind: "image" | "audio"): string {
  if (kind === "image") return capabilities.vision || !Object.keys(capabilities).length ? "" : `${id} takes no images`;
  return capabilities.audio_transcriptions || !Object.keys(capabilities).length ? "" : `${id} takes no audio`;
}

export function best<M extends Able & Pick<Standing, "state" | "unlisted">>(models: readonly M[], task: Task): M | undefined {
  const able = models.filter((model) => !obstacle(model, task));
  const suited = task === "embeddings" ? able.filter(isEmbedder) : able;
  const choice = suited.length ? suited : able;
  return choice.find((model) => model.state === "ready") ?? choice.find((model) => !model.unlisted && model.state !== "disabled") ?? choice[0];
}
