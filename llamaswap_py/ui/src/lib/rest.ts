// What may wait until the browser has nothing else to do.

const WAITS_MS = 1000; // where no browser says when that is: Safari
const AT_LATEST_MS = 5000;

export function atRest(work: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: AT_LATEST_MS });
  else setTimeout(work, WAITS_MS);
}
