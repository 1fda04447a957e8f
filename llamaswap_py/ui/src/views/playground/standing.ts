// What somebody who waits for an answer is told of the model meanwhile.

import type { Standing } from "../../lib/shapes";
import { duration, plural } from "../../lib/words";

export interface Wait {
  words: string;
  /** Of 1; null: not known; undefined: nothing to measure. */
  share?: number | null;
}

/** `sent`: unix seconds by the server's clock. */
export function waitOf(model: Standing | undefined, sent: number): Wait {
  if (!model) return { words: "Waiting for the server" };
  const place = placeOf(model, sent);
  switch (model.state) {
    case "starting": {
      const { percent, left } = model.loading ?? { percent: null, left: null };
      const rest = left === null ? "" : left >= 1 ? `, about ${duration(Math.ceil(left))} left` : ", almost there";
      return { words: `Loading ${model.id}${percent === null ? "" : `: ${Math.round(percent)} %`}${rest}`, share: percent === null ? null : percent / 100 };
    }
    case "stopping":
      return { words: `${model.id} is being stopped; then it is loaded again`, share: null };
    case "stopped": {
      const going = model.makes_room.length ? `${list(model.makes_room)} must make room` : "its turn comes next";
      const queue = place > 1 ? `${ordinal(place)} in the queue for ${model.id}` : `Queued for ${model.id}`;
      return { words: `${queue}: ${going}` };
    }
    case "ready":
      if (model.seats !== null && model.seated >= model.seats && place > 0) {
        return { words: `${model.id} answers ${plural(model.seated, "request")}; yours is ${ordinal(place)} in the queue` };
      }
      return { words: `${model.id} reads the prompt` };
    case "remote":
      return { words: `Waiting for ${model.peer}` };
    default:
      return { words: `Waiting for ${model.id}` };
  }
}

/** The caller in the queue who came when we did. */
function placeOf({ waiting }: Standing, sent: number): number {
  const near = [...waiting].sort((one, other) => Math.abs(one.since - sent) - Math.abs(other.since - sent))[0];
  return near?.position ?? 0;
}

export function ordinal(number: number): string {
  const tail = number % 100 > 10 && number % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
  return `${number}${tail}`;
}

export function list(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
