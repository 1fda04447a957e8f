// The moment, once a second while somebody looks: for countdowns and ages. By performance.now(), in milliseconds.

import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export function now(): number {
  subscribe();
  return performance.now();
}
