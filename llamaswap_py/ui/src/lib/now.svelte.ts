// This machine's clock, once a second while somebody looks: for countdowns and ages.

import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

/** Unix seconds. */
export function seconds(): number {
  subscribe();
  return Date.now() / 1000;
}
