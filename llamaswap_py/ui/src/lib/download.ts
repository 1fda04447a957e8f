// Files made in the page: what was asked for with the page's own key needs none in an address.

/** Hands the text to the person as a file. */
export function saved(name: string, type: string, parts: BlobPart[]): void {
  const address = URL.createObjectURL(new Blob(parts, { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** For the name of a file: 2026-03-01-093000 */
export function stamp(when = new Date()): string {
  return when.toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
}
