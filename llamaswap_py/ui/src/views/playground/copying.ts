// Into the clipboard; where the browser does not let us, it is said.

import { toasts } from "../../lib/toasts.svelte";

export async function copied(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.note("Copied");
  } catch {
    toasts.error("The browser does not let this page copy (it wants https or localhost): mark the text and copy it by hand.");
  }
}

export function saved(content: Blob, file: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
