// The rows of one question, a page of them at a time. What is new comes by events: at once where nobody looks elsewhere,
// else it is counted until it is asked for, so that nothing moves under anybody's eyes.

import { askJson, Refused } from "../../lib/ask";
import { house } from "../../lib/house.svelte";
import type { Activity, ActivityPage, Finished } from "../../lib/shapes";
import { asked, fits, isNewest, type Filters, type Order } from "./query";

export const PAGE = 50;

export class Records {
  rows = $state.raw<readonly Activity[]>([]);
  page = $state(1);
  total = $state(0);
  /** There are more than `total`. */
  isMore = $state(false);
  /** How many have come that are not shown. */
  fresh = $state(0);
  loading = $state(true);
  trouble = $state("");
  /** What may be asked for: who was seen. */
  callers = $state.raw<ReadonlySet<string>>(new Set());

  private newest = 0; // the id up to which rows are shown or counted
  private anchor: number | undefined; // rows above it are not on any page
  private missed = false; // some that are new were not told
  private readonly meanwhile: Activity[] = []; // told while the answer was on its way
  private running: AbortController | undefined;

  constructor(
    readonly filters: Filters,
    readonly order: Order,
    private readonly isHeld: () => boolean,
  ) {}

  /** The first page, with all that is new. */
  refresh(): Promise<void> {
    this.anchor = undefined;
    return this.turn(1);
  }

  async turn(page: number): Promise<void> {
    this.running?.abort();
    const { signal } = (this.running = new AbortController());
    this.loading = true;
    try {
      const answer = await askJson<ActivityPage>(`api/metrics/activity?${this.query(page)}`, { signal });
      this.trouble = "";
      this.take(answer);
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = error instanceof Refused ? error.message : String(error);
    }
    this.loading = false;
    const rows = this.meanwhile.splice(0);
    if (rows.length && this.page === 1) this.hear({ rows, gap: false });
  }

  close(): void {
    this.running?.abort();
  }

  hear({ rows, gap }: Finished): void {
    if (this.loading) this.meanwhile.push(...rows);
    const found = rows.filter((row) => row.id > this.newest && fits(row, this.filters));
    for (const row of rows) this.newest = Math.max(this.newest, row.id);
    this.missed ||= gap;
    if (!found.length && !gap) return;
    if (this.page > 1 || !isNewest(this.order) || this.loading || this.isHeld()) this.fresh += found.length;
    else if (this.missed) void this.refresh();
    else {
      this.show(found);
      this.anchor = this.newest;
    }
  }

  /** Nobody holds them any more. */
  settle(): void {
    if (this.fresh && this.page === 1 && isNewest(this.order) && !this.loading && !this.isHeld()) void this.refresh();
  }

  private show(found: readonly Activity[]): void {
    const ordered = [...found].sort((a, b) => b.id - a.id);
    this.rows = [...ordered, ...this.rows].slice(0, PAGE);
    this.total += found.length;
    this.meet(found);
  }

  private query(page: number): URLSearchParams {
    const query = asked(this.filters, house.now());
    query.set("limit", String(PAGE));
    query.set("page", String(page));
    query.set("sort", this.order.by);
    query.set("order", this.order.descending ? "desc" : "asc");
    if (page > 1 && this.anchor && isNewest(this.order)) query.set("max_id", String(this.anchor));
    return query;
  }

  private take(answer: ActivityPage): void {
    this.rows = answer.data;
    this.page = answer.page;
    this.total = answer.total;
    this.isMore = answer.at_least ?? false;
    if (answer.page === 1) {
      this.fresh = 0;
      this.missed = false;
      this.newest = answer.data.reduce((most, row) => Math.max(most, row.id), 0);
      this.anchor = this.newest || undefined;
    }
    this.meet(answer.data);
  }

  private meet(rows: readonly Activity[]): void {
    const seen = rows.flatMap((row) => row.details?.caller ?? []).filter((caller) => caller && !this.callers.has(caller));
    if (seen.length) this.callers = new Set([...this.callers, ...seen]);
  }
}
