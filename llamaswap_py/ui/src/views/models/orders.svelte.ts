// What can be ordered of models. What would cut off an answer is asked about first.

import { inPath } from "../../lib/address";
import { Refused, send } from "../../lib/ask";
import type { Standing } from "../../lib/shapes";
import { toasts } from "../../lib/toasts.svelte";
import { plural } from "../../lib/words";

export interface Asked {
  title: string;
  text: string;
  verb: string;
}

// Somebody ordered something else meanwhile: the row shows it, nobody needs to be told.
const OVERTAKEN = ["model_unloaded", "cancelled", "shutting_down"];

export class Orders {
  asked = $state.raw<Asked | undefined>();
  private answered: ((yes: boolean) => void) | undefined;

  load = (model: Standing) => this.order("load", model);
  reset = (model: Standing) => this.order("reset", model);
  pin = (model: Standing) => this.order(model.pinned ? "unpin" : "pin", model);

  unload = async (model: Standing) => {
    if (await this.sure([model], `Unload ${model.id}?`, "Unload")) this.order("unload", model);
  };

  restart = async (model: Standing) => {
    if (await this.sure([model], `Restart ${model.id}?`, "Restart")) this.order("restart", model);
  };

  unloadAll = async (up: readonly Standing[]) => {
    if (await this.sure(up, "Unload all models?", "Unload all")) this.tell("api/models/unload");
  };

  answer(yes: boolean): void {
    this.asked = undefined;
    this.answered?.(yes);
  }

  private order(verb: string, model: Standing): void {
    this.tell(`api/models/${verb}/${inPath(model.id)}`);
  }

  /** Nobody waits for the answer: the row shows what happens. Only a refusal is told. */
  private tell(path: string): void {
    send(path).catch((error: unknown) => {
      if (!(error instanceof Refused && OVERTAKEN.includes(error.code))) toasts.error(error);
    });
  }

  private sure(models: readonly Standing[], title: string, verb: string): Promise<boolean> {
    const seated = models.reduce((sum, model) => sum + model.seated, 0);
    if (!seated) return Promise.resolve(true);
    const text = `${plural(seated, "request is", "requests are")} being answered and would be cut off.`;
    this.asked = { title, text, verb };
    return new Promise((answered) => (this.answered = answered));
  }
}
