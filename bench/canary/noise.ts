// Traffic as services have it, from fixed seeds: what the judge is tested and measured on, and its peers beside it.
import type { Arm } from '../../src/judge/metric.ts';
import type { Count, CountWindow } from '../../src/judge/window.ts';
import { type Random, binomial, gammaAround1, normal, randomOf } from './random.ts';

/** How bad events come. Every one has mean 1 as a factor on an arm's rate, but for cold starts. */
export const NOISES = [
  'independent',
  'shocks common to both arms',
  'bursts within an arm',
  'bursts of an arm over several windows',
  'rare large bursts of an arm',
  'day cycle',
  'cold starts',
  'one pod of ten noisy',
] as const;
export type Noise = (typeof NOISES)[number];

export interface Traffic {
  /** The share of bad events of each arm. */
  readonly rates: Readonly<Record<Arm, number>>;
  /** Of each arm in a window of 15 seconds. */
  readonly requestsPerWindow: number;
  readonly windows: number;
  /** The canary's share of what both arms get, a half unless told. */
  readonly share?: number;
}

/** The windows of one canary. */
export function simulate(noise: Noise, seed: number, traffic: Traffic): CountWindow[] {
  return windowsOf(MODELS[noise], randomOf(seed), traffic);
}

/**
 * The same service's past: placebo canaries between stable pods, as bad as the baseline both. Stable pods started long
 * ago, so that the past tells nothing of cold starts.
 */
export function history(noise: Noise, seed: number, traffic: Traffic, placebos = 50): CountWindow[][] {
  const model = noise === 'cold starts' ? MODELS.independent : MODELS[noise];
  const random = randomOf(seed ^ 0x5eed_0f);
  const alike = { ...traffic, share: 0.5, rates: { canary: traffic.rates.baseline, baseline: traffic.rates.baseline } };
  return Array.from({ length: placebos }, () => windowsOf(model, random, alike));
}

/** What the noise makes of a canary's rates and traffic, window after window. */
interface Factors extends Readonly<Record<Arm, number>> {
  readonly traffic: number;
}
type Model = (random: Random) => () => Factors;

function windowsOf(model: Model, random: Random, traffic: Traffic): CountWindow[] {
  const next = model(random);
  const { share = 0.5 } = traffic;
  return Array.from({ length: traffic.windows }, (_, i) => {
    const factors = next();
    const count = (arm: Arm, part: number): Count => {
      const wanted = traffic.requestsPerWindow * factors.traffic * 2 * part;
      const total = Math.max(0, Math.round(wanted + normal(random) * Math.sqrt(wanted)));
      return { bad: binomial(total, Math.min(0.9, traffic.rates[arm] * factors[arm]), random), total };
    };
    const start = i * 15_000;
    return { start, seconds: 15, canary: count('canary', share), baseline: count('baseline', 1 - share) };
  });
}

/** Each arm with noise of its own. */
function eachArm(arm: (random: Random) => () => number): Model {
  return (random) => {
    const [canary, baseline] = [arm(random), arm(random)];
    return () => ({ traffic: 1, canary: canary(), baseline: baseline() });
  };
}

/** exp of an autoregressive process of order 1: what follows a shock is still of it. */
function wandering(
  random: Random,
  { memory, spread }: { readonly memory: number; readonly spread: number },
): () => number {
  let z = normal(random);
  return () => {
    const factor = Math.exp(spread * z - spread ** 2 / 2);
    z = memory * z + Math.sqrt(1 - memory ** 2) * normal(random);
    return factor;
  };
}

const DAY = 240;

const MODELS: Readonly<Record<Noise, Model>> = {
  independent: eachArm(() => () => 1),
  'shocks common to both arms': (random) => {
    const shock = wandering(random, { memory: 0.8, spread: 0.7 });
    return () => {
      const both = shock();
      return { traffic: 1, canary: both, baseline: both };
    };
  },
  'bursts within an arm': eachArm((random) => () => gammaAround1(0.7, random)),
  'bursts of an arm over several windows': eachArm((random) => wandering(random, { memory: 0.6, spread: 0.4 })),
  // About a tenth of the windows stands in bursts of four, in which five times as much fails.
  'rare large bursts of an arm': eachArm((random) => {
    let left = random() < 0.1 ? Math.ceil(4 * random()) : 0;
    return () => {
      left = left > 0 ? left - 1 : random() < 1 / 36 ? 4 : 0;
      return (left > 0 ? 5 : 1) / 1.4;
    };
  }),
  // A day is 240 windows here, so that a canary of some minutes sees its slopes.
  'day cycle': (random) => {
    const phase = random();
    let i = 0;
    return () => {
      const angle = 2 * Math.PI * (phase + i / DAY);
      i += 1;
      const both = 1 + 0.5 * Math.sin(angle + 1);
      return { traffic: 1 + 0.6 * Math.sin(angle), canary: both, baseline: both };
    };
  },
  // Ten fresh pods an arm fail six times as often at first, each its own way.
  'cold starts': eachArm((random) => {
    const pods = Array.from({ length: 10 }, () => ({
      height: 5 * gammaAround1(0.5, random),
      windows: 1 + 2 * random(),
    }));
    let i = 0;
    return () => {
      const cold = pods.reduce((sum, { height, windows }) => sum + height * Math.exp(-i / windows), 0) / pods.length;
      i += 1;
      return 1 + cold;
    };
  }),
  // Each arm has ten pods, and one of all of them fails five times as often, all the time; it may stand in either arm.
  'one pod of ten noisy': (random) => {
    const inCanary = random() < 0.5;
    const [with1, without] = [1.4 / 1.2, 1 / 1.2];
    return () => ({ traffic: 1, canary: inCanary ? with1 : without, baseline: inCanary ? without : with1 });
  },
};
