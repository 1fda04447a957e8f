// Short words at the edge of the page: what went wrong and what to do, or that something is done.

export interface Toast {
  id: number;
  kind: "error" | "note";
  text: string;
}

const NOTE_MS = 4000;
const MOST = 4;

class Toasts {
  all = $state<Toast[]>([]);
  private last = 0;

  /** An error stays until it is put away. */
  error(error: unknown): void {
    this.add("error", error instanceof Error ? error.message : String(error));
  }

  note(text: string): void {
    const id = this.add("note", text);
    setTimeout(() => this.away(id), NOTE_MS);
  }

  away(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  private add(kind: Toast["kind"], text: string): number {
    const id = ++this.last;
    const others = this.all.filter((toast) => toast.text !== text);
    this.all = [...others, { id, kind, text }].slice(-MOST);
    return id;
  }
}

export const toasts = new Toasts();

/** Do it; a refusal is shown. True where it went well. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    toasts.error(error);
    return false;
  }
  if (done) toasts.note(done);
  return true;
}
