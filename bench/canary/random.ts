/** A stream of numbers from 0 (included) to 1 (excluded) that is the same for a seed everywhere. */
export type Random = () => number;

/** mulberry32, by Tommy Ettinger, in the public domain: enough for simulations, not for secrets. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal (G. E. P. Box, M. E. Muller, Ann. Math. Stat. 29, 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Gamma of mean 1 with this coefficient of variation, at most 1 (G. Marsaglia, W. W. Tsang, ACM TOMS 26, 2000). */
export function gammaAround1(variation: number, random: Random): number {
  const shape = 1 / variation ** 2;
  const d = shape - 1 / 3;
  for (;;) {
    const x = normal(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
}

/** How many of n happen: exact by waiting times while few do, the normal curve where both ends are far. */
export function binomial(n: number, p: number, random: Random): number {
  if (p <= 0) return 0;
  if (p > 0.5) return n - binomial(n, 1 - p, random);
  const mean = n * p;
  if (mean > 60) return Math.max(0, Math.min(n, Math.round(mean + normal(random) * Math.sqrt(mean * (1 - p)))));
  let [happened, at] = [0, 0];
  for (;;) {
    at += Math.floor(Math.log(1 - random()) / Math.log1p(-p)) + 1;
    if (at > n) return happened;
    happened += 1;
  }
}
