import { logBeta, logLikelihood } from '../statistics/beta-binomial.ts';
import { normalQuantile } from '../statistics/normal.ts';
import { bet, firstWealth, shareAt } from './e-process.ts';
import { type PlannedCounted, percent, terms } from './counted.ts';

/** What a service's past says of the traffic to come. */
export interface ExpectedTraffic {
  /** To the whole service. */
  readonly requestsPerSecond: number;
  /** The part of it that is bad as it is. */
  readonly badShare: number;
  /** The part of all requests that each of both arms gets, from 0 to a half. */
  readonly share: number;
  /** How long the canary is looked at. */
  readonly seconds: number;
  /** Between two looks; 15 unless told. */
  readonly secondsPerWindow?: number;
}

/** What a judge will find before it is there to find it: for nine of ten releases that are so bad. */
export interface Power {
  readonly metric: string;
  readonly traffic: ExpectedTraffic;
  /** How many times as bad a release has to be to be found in time; undefined where nothing is. */
  readonly finds?: number;
  /** Releases of some badness, how long they take to be found, and at which share they would be in time. */
  readonly examples: readonly PowerExample[];
  /** Canaries between stable pods out of the past, and how many of them would have been taken back. */
  readonly placebos?: { readonly tried: number; readonly takenBack: number };
}

export interface PowerExample {
  readonly times: number;
  /** Undefined where it is not found within a week. */
  readonly seconds?: number;
  /** The least share of those tried that finds it in time; undefined where a half does not. */
  readonly share?: number;
}

/** More than 0.9, as evidence that is reached seldom late rather than early leans to the late side. */
const FOUND = normalQuantile(0.975);
const TIMES = [1.5, 1.75, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100] as const;
const EXAMPLES = [2, 5] as const;
const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5] as const;
const WEEK = 7 * 86_400;

/**
 * How bad a release has to be, from the very bets that will be made, and the noise that the past showed: what a window
 * adds to the evidence on average and how much that varies says after how many windows nine of ten canaries have enough.
 * Without a calibration the noise is taken to be none, so that the true time is longer.
 */
export function powerOf(planned: PlannedCounted, traffic: ExpectedTraffic): Power {
  const { calibration } = planned;
  const inTime = (times: number, share: number): boolean =>
    (timeToFind(planned, { ...traffic, share }, times) ?? Infinity) <= traffic.seconds;
  const finds = TIMES.find((times) => times * traffic.badShare <= 1 && inTime(times, traffic.share));
  const examples = EXAMPLES.filter((times) => times * traffic.badShare <= 1).map((times) => {
    const seconds = timeToFind(planned, traffic, times);
    const share = SHARES.find((one) => inTime(times, one));
    return { times, ...(seconds !== undefined && { seconds }), ...(share !== undefined && { share }) };
  });
  return {
    metric: planned.metric.name,
    traffic,
    examples,
    ...(finds !== undefined && { finds }),
    ...(calibration && { placebos: { tried: calibration.placebos, takenBack: calibration.falseAborts } }),
  };
}

/** One paragraph for a person, before any traffic moves. */
export function describePower({ metric, traffic, finds, examples, placebos }: Power): string {
  const { badShare, share, seconds } = traffic;
  const setting = `At ${percent(share)} of the traffic and within ${duration(seconds)}`;
  const grown = (times: number): string => `${percent(badShare)} grown to ${percent(badShare * times)}`;
  const first =
    finds === undefined
      ? `${setting} hardly any release is found to be worse by ${metric}: too few bad events come together.`
      : `${setting} ${metric} finds releases that are ${finds} times as bad (${grown(finds)}), nine of ten.`;
  const needs = examples
    .filter((example) => (example.seconds ?? Infinity) > seconds)
    .map(({ times, seconds: needed, share: enough }) => {
      const time = needed === undefined ? undefined : `about ${duration(needed)}`;
      const part = enough === undefined ? undefined : percent(enough);
      const either = [time, part].filter((one) => one !== undefined).join(' or ');
      return ` ${times} times as bad ${either === '' ? 'is not decidable here' : `needs ${either}`}.`;
    });
  const past =
    placebos === undefined
      ? ' Its past tells too little of its noise, so no model of it is believed, and it takes longer where errors come in bursts.'
      : ` Of ${placebos.tried} canaries between stable pods out of its past ${placebos.takenBack} would have been taken back.`;
  return first + needs.join('') + past;
}

/** Until nine of ten canaries that are `times` as bad as the baseline have evidence enough; undefined beyond a week. */
function timeToFind(planned: PlannedCounted, traffic: ExpectedTraffic, times: number): number | undefined {
  const { requestsPerSecond, badShare, share, secondsPerWindow = 15 } = traffic;
  const total = requestsPerSecond * share * secondsPerWindow;
  const bad = total * badShare * (1 + times);
  if (!(bad > 0)) return undefined;
  const wager = terms(planned, 'worse');
  const start = firstWealth(wager);
  const needed = -Math.log(planned.alpha) + Math.log(start.length);
  const outcomes = badCounts(bad).flatMap(({ all, chance }) =>
    splits(all, shareAt(times, 0.5), wager.rho ?? 0).map((split) => ({
      chance: chance * split.chance,
      gains: bet(
        start,
        {
          start: 0,
          seconds: secondsPerWindow,
          canary: { bad: split.canary, total },
          baseline: { bad: all - split.canary, total },
        },
        wager,
      ),
    })),
  );
  const windows = start.map((_, i) => {
    const mean = outcomes.reduce((sum, { chance, gains }) => sum + chance * (gains[i] ?? 0), 0);
    const square = outcomes.reduce((sum, { chance, gains }) => sum + chance * (gains[i] ?? 0) ** 2, 0);
    if (mean <= 0) return Infinity;
    const deviation = Math.sqrt(Math.max(0, square - mean ** 2));
    return ((FOUND * deviation + Math.sqrt((FOUND * deviation) ** 2 + 4 * mean * needed)) / (2 * mean)) ** 2;
  });
  const seconds = Math.ceil(Math.min(...windows)) * secondsPerWindow;
  return seconds <= WEEK ? seconds : undefined;
}

interface Chance {
  readonly chance: number;
}

/** How many bad events a window has: by Poisson while they are few, their mean where many hardly differ from it. */
function badCounts(mean: number): readonly (Chance & { readonly all: number })[] {
  if (mean > MANY) return [{ all: Math.round(mean), chance: 1 }];
  let chance = Math.exp(-mean);
  return Array.from({ length: Math.ceil(mean + 8 * Math.sqrt(mean) + 6) }, (_, all) => {
    if (all > 0) chance *= mean / all;
    return { all, chance };
  });
}

const MANY = 25;
const MOST_SPLITS = 120;

/** On which arm they fall, by their chances; of very many only some splits are looked at. */
function splits(all: number, q: number, rho: number): readonly (Chance & { readonly canary: number })[] {
  const step = Math.max(1, Math.ceil(all / MOST_SPLITS));
  const counts = Array.from({ length: Math.floor(all / step) + 1 }, (_, i) => i * step);
  const logs = counts.map((canary) => ways(all, canary) + logLikelihood(canary, all, q, rho));
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const sum = weights.reduce((so, weight) => so + weight, 0);
  return counts.map((canary, i) => ({ canary, chance: (weights[i] ?? 0) / sum }));
}

/** The logarithm of the binomial coefficient, up to what does not depend on `canary`. */
function ways(all: number, canary: number): number {
  return -logBeta(canary + 1, all - canary + 1);
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
