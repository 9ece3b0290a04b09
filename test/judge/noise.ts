// Traffic as services really have it, from fixed seeds: what the judge is measured on.
import type { CountWindow } from '../../src/judge/window.ts';

/** Numbers from 0 to 1 that are the same for a seed everywhere (mulberry32, public domain). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How errors come. */
export const NOISES = [
  'independent',
  'shocks common to both arms',
  'bursts within an arm',
  'bursts of an arm over several windows',
  'day cycle',
  'cold starts',
  'one pod of ten noisy',
] as const;
export type Noise = (typeof NOISES)[number];

export interface Traffic {
  readonly noise: Noise;
  readonly seed: number;
  readonly windows: number;
  /** Requests in a window of each arm. */
  readonly requests: number;
  /** Bad share of each arm without the noise. */
  readonly canary: number;
  readonly baseline: number;
}

/** A canary's windows of 15 seconds. */
export function simulate({ noise, seed, windows, requests, canary, baseline }: Traffic): CountWindow[] {
  const random = randomOf(seed);
  const bursting = { canary: 0, baseline: 0 };
  const noisy = { canary: random() < 0.5, baseline: random() < 0.5 };
  return Array.from({ length: windows }, (_, i) => {
    const common = noise === 'shocks common to both arms' && random() < 0.05 ? 10 : 1;
    const arm = (name: 'canary' | 'baseline', rate: number): { bad: number; total: number } => {
      const total = Math.max(1, Math.round(requests * day(i) * (0.9 + 0.2 * random())));
      return { bad: binomial(total, Math.min(0.9, rate * common * factor(name, i)), random), total };
    };
    return { start: i * 15_000, seconds: 15, canary: arm('canary', canary), baseline: arm('baseline', baseline) };
  });

  function day(i: number): number {
    return noise === 'day cycle' ? 0.55 + 0.45 * Math.sin((2 * Math.PI * i) / windows) : 1;
  }

  function factor(name: 'canary' | 'baseline', i: number): number {
    switch (noise) {
      case 'bursts within an arm':
        return random() < 0.08 ? 8 : 1;
      case 'bursts of an arm over several windows':
        bursting[name] = bursting[name] > 0 ? bursting[name] - 1 : random() < 0.03 ? 4 : 0;
        return bursting[name] > 0 ? 5 : 1;
      case 'cold starts':
        return 1 + 6 * Math.exp(-i / 2);
      case 'one pod of ten noisy':
        return noisy[name] ? 0.9 + 0.1 * (random() < 0.2 ? 10 : 1) : 1;
      case 'day cycle':
        return 1 + 0.5 * Math.sin((2 * Math.PI * i) / windows);
      case 'independent':
      case 'shocks common to both arms':
        return 1;
    }
  }
}

/** Exact for few, by waiting times; the normal curve where both ends are far. */
function binomial(n: number, p: number, random: () => number): number {
  const mean = n * p;
  if (mean > 60) {
    const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.min(n, Math.round(mean + z * Math.sqrt(mean * (1 - p)))));
  }
  let [bad, at] = [0, 0];
  for (;;) {
    at += Math.floor(Math.log(1 - random()) / Math.log1p(-p)) + 1;
    if (at > n) return bad;
    bad += 1;
  }
}
