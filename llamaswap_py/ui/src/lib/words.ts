// Figures as people read them.

const NARROW = "\u202f"; // between a number and its unit: no line breaks there

export function count(value: number, digits = 0): string {
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** 1234 → 1.2k: for where there is little room. */
export function short(value: number): string {
  if (Math.abs(value) < 1000) return count(value);
  if (Math.abs(value) < 1e6) return `${trimmed(value / 1e3)}k`;
  return `${trimmed(value / 1e6)}M`;
}

/** Tokens of a context are powers of two: 4096 → 4k, 131072 → 128k, 40000 → 40,000. */
export function context(tokens: number): string {
  return tokens >= 1024 && tokens % 1024 === 0 ? `${tokens / 1024}k` : count(tokens);
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let scale = 0;
  while (value >= 1000 && scale < units.length - 1) {
    value /= 1024;
    scale += 1;
  }
  return `${scale === 0 ? value : trimmed(value)}${NARROW}${units[scale]}`;
}

/** Seconds: 0.42 → 420 ms, 75 → 1 min 15 s, 5400 → 1 h 30 min. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)}${NARROW}ms`;
  if (seconds < 10) return `${trimmed(seconds)}${NARROW}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${NARROW}s`;
  if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(seconds / 3600);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** What is left of a countdown: whole steps, so that it does not flicker. 75 → 1:15 */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  if (left >= 3600) return two(Math.floor(left / 3600), "h", Math.floor((left % 3600) / 60), "min");
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

export function speed(perSecond: number): string {
  const digits = perSecond < 10 ? 1 : 0;
  return `${count(perSecond, digits)}${NARROW}tok/s`;
}

export function clock(when: string | number | Date): string {
  return new Date(when).toLocaleTimeString("en-GB", { hour12: false });
}

/** "1 model", "2 models" */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

function trimmed(value: number): string {
  return count(value, value < 10 ? 1 : 0).replace(/\.0$/, "");
}

function two(first: number, unit: string, second: number, smaller: string): string {
  const head = `${first}${NARROW}${unit}`;
  return second ? `${head} ${second}${NARROW}${smaller}` : head;
}
