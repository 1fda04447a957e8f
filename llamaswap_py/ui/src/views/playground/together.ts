// Which models may be up beside each other, and so in which order several of them are asked.

import type { Rules, Standing } from "../../lib/shapes";
import { list } from "./standing";

type Named = Pick<Standing, "id" | "peer" | "group" | "state">;

/** Every combination that a set of the matrix allows; more than this many are not looked at. */
const MOST = 2000;

function combinations(expression: string, rules: Rules, depth = 0): string[][] {
  const tokens = expression.match(/\+?[\p{L}\p{N}_.-]+|[&|()]/gu) ?? [];
  let at = 0;
  const either = (): string[][] => {
    const found = both();
    while (tokens[at] === "|") (at += 1), found.push(...both());
    return found.slice(0, MOST);
  };
  const both = (): string[][] => {
    let found = one();
    while (tokens[at] === "&") {
      at += 1;
      const others = one();
      found = found.flatMap((left) => others.map((right) => [...left, ...right])).slice(0, MOST);
    }
    return found;
  };
  const one = (): string[][] => {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const found = either();
      at += 1;
      return found;
    }
    if (!token.startsWith("+")) return [[rules.names[token] ?? token]];
    const used = rules.sets.find((set) => set.name === token.slice(1));
    return used && depth < 20 ? combinations(used.expression, rules, depth + 1) : [[]];
  };
  return either();
}

/** May these be up at the same time? Models of other servers are not ours to say. */
export function compatible(models: readonly Named[], rules: Rules | undefined): boolean {
  const here = models.filter((model) => !model.peer);
  if (!rules || here.length < 2) return true;
  if (rules.kind === "matrix") {
    const sets = rules.sets.flatMap((set) => combinations(set.expression, rules));
    return sets.some((set) => here.every((model) => set.includes(model.id)));
  }
  return here.every((one, index) => here.slice(index + 1).every((other) => friends(one, other, rules)));
}

function friends(one: Named, other: Named, rules: Rules): boolean {
  const [mine, theirs] = [one, other].map((model) => rules.groups.find((group) => group.members.includes(model.id)));
  if (!mine || !theirs) return false;
  if (mine === theirs) return !mine.swap;
  return (!mine.exclusive || theirs.persistent) && (!theirs.exclusive || mine.persistent);
}

/** In batches: those of a batch are asked at once. What is up already comes first, so that it is not loaded twice. */
export function plan<M extends Named>(models: readonly M[], rules: Rules | undefined): M[][] {
  const isUp = (model: M) => model.state === "ready" || model.state === "starting";
  const order = [...models].sort((one, other) => Number(isUp(other)) - Number(isUp(one)));
  const batches: M[][] = [];
  for (const model of order) {
    const batch = batches.find((each) => compatible([...each, model], rules));
    if (batch) batch.push(model);
    else batches.push([model]);
  }
  return batches;
}

/** In which order they are asked, and why; "" where all are asked at once. */
export function reason(models: readonly Named[], rules: Rules | undefined): string {
  const batches = plan(models, rules);
  if (batches.length < 2) return "";
  const [first] = models;
  const group = rules?.kind === "groups" && rules.groups.find((each) => each.swap && models.every((model) => each.members.includes(model.id)));
  const why = rules?.kind === "matrix"
    ? "no set of the matrix has them together"
    : group && first && !/^\(.*\)$/.test(group.id) ? `the group ${group.id} has one model up at a time` : "the configuration does not let them be up together";
  if (batches.every((batch) => batch.length === 1)) return `They are asked one after the other: ${why}.`;
  const [now, ...later] = batches.map((batch) => list(batch.map((model) => model.id)));
  return `${now} ${batches[0]!.length > 1 ? "are asked at once" : "is asked first"}, then ${later.join(", then ")}: ${why}.`;
}
