/** By how much the values of one group are above those of another. */
export interface Shift {
  /** Hodges and Lehmann's: about the median of all differences between a value of `x` and one of `y`. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** The mean of `x` over that of `y`; NaN where the latter is 0. */
  readonly meanRatio: number;
  /** The chance that a value of `x` is above one of `y`, ties half: the common language effect size. */
  readonly superiority: number;
}

/**
 * The shift between two groups by Mann and Whitney's test turned round, with ties averaged and a continuity correction,
 * as R's wilcox.test and Kayenta's judge find it: the ends are the shifts that the test would just not refuse at `z`.
 * @param z standard normal quantile of the interval's ends: 1.96 for 95 %, 2.33 for 98 %
 * @throws RangeError without values
 */
export function mannWhitney(x: readonly number[], y: readonly number[], z: number): Shift {
  if (x.length === 0 || y.length === 0) throw new RangeError('Mann and Whitney compare two groups that have values');
  const steps = [...new Set(x.flatMap((a) => y.map((b) => a - b)))].toSorted((a, b) => a - b);
  const at = (goal: number, correction?: number): number =>
    crossing((shift) => rankScore(x, y, shift, correction) - goal, steps);
  const effect = { meanRatio: mean(x) / mean(y), superiority: superiority(x, y) };
  return { low: at(z), estimate: at(0, 0), high: at(-z), ...effect };
}

/**
 * The test's standardised rank sum once `shift` is taken off `x`; it falls as the shift grows.
 * @param correction for continuity, towards 0
 */
export function rankScore(x: readonly number[], y: readonly number[], shift: number, correction = 0.5): number {
  const [n, m] = [x.length, y.length];
  const { ranks, ties } = ranked([...x.map((value) => value - shift), ...y]);
  const sum = ranks.slice(0, n).reduce((all, rank) => all + rank, 0);
  const distance = sum - (n * (n + 1)) / 2 - (n * m) / 2;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  const corrected = distance - Math.sign(distance) * correction;
  return variance > 0 ? corrected / Math.sqrt(variance) : 0;
}

/** Each value's rank, and the sum of t^3 - t over groups of t that are equal. */
function ranked(values: readonly number[]): { readonly ranks: readonly number[]; readonly ties: number } {
  const order = values.map((_, i) => i).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = values.map(() => 0);
  let ties = 0;
  for (let from = 0; from < order.length;) {
    const value = values[order[from] ?? 0];
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === value) to += 1;
    for (const i of order.slice(from, to)) ranks[i] = (from + 1 + to) / 2;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  return { ranks, ties };
}

/** Where a function that falls at these steps crosses 0, the middle where it stays there; an end where it doesn't cross. */
function crossing(falling: (x: number) => number, steps: readonly number[]): number {
  return (edge((x) => falling(x) > 0, steps) + edge((x) => falling(x) >= 0, steps)) / 2;
}

/** The step after which what holds at first ceases to, by halving. */
function edge(holds: (x: number) => boolean, steps: readonly number[]): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(((steps[middle] ?? 0) + (steps[middle + 1] ?? 0)) / 2)) low = middle + 1;
    else high = middle;
  }
  return steps[low] ?? 0;
}

function superiority(x: readonly number[], y: readonly number[]): number {
  const wins = x.reduce((sum, a) => sum + y.reduce((won, b) => won + (a > b ? 1 : a === b ? 0.5 : 0), 0), 0);
  return wins / (x.length * y.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
