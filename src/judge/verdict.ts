import type { MetricEvidence, PlannedMetric } from './judge.ts';
import type { Estimate, Judgement, MetricJudgement, MetricVerdict } from './judgement.ts';
import { pointsOf } from './timeline.ts';
import type { Count } from './window.ts';

/** With fewer events in either arm there is nothing to judge by. */
const LEAST_EVENTS = 50;
/** A good release promoted late costs little, so the evidence for it may be weaker than that against it. */
const ALPHA_NOT_WORSE = 0.05;
/** Where this part of the baseline's own events is bad, it is not the release that is in trouble. */
const BROKEN = 0.2;

/** Natural logarithms of the e-values. */
interface LogEvidence {
  readonly worse: number;
  readonly notWorse: number;
}

/**
 * What one metric says. `worse` needs the evidence against the allowed ratio, which bounds the false alarms, and a
 * difference that is beyond `allowed.absolute` by more than its standard error: a bound on what matters, not a test.
 */
export function judgeMetric(
  { metric, alpha }: PlannedMetric,
  known: MetricEvidence,
  logs: LogEvidence,
): MetricJudgement {
  const { canary, baseline, missing } = known;
  const needed = -Math.log10(alpha);
  const common = {
    metric,
    counts: { canary, baseline },
    evidence: { worse: logs.worse / Math.LN10, notWorse: logs.notWorse / Math.LN10, needed },
    points: pointsOf(known.timeline),
  };
  if (canary.total < LEAST_EVENTS || baseline.total < LEAST_EVENTS) {
    const seen = `${round(canary.total)} requests on the canary and ${round(baseline.total)} on the baseline`;
    const why = missing === undefined ? '' : ` (${missing})`;
    return { ...common, verdict: 'no-data', reason: `${seen} are too few to judge by${why}` };
  }
  const estimates = { canary: estimate(canary), baseline: estimate(baseline) };
  const shares = `${percent(estimates.canary.value)} against ${percent(estimates.baseline.value)} on the fresh baseline`;
  const verdict = verdictOf();
  return { ...common, estimates, verdict, reason: `${shares}: ${SAYS[verdict]}` };

  function verdictOf(): Exclude<MetricVerdict, 'no-data'> {
    const difference = estimates.canary.value - estimates.baseline.value;
    const error = Math.hypot(standardError(canary), standardError(baseline));
    if (logs.worse >= -Math.log(alpha) && difference - error > metric.allowed.absolute) return 'worse';
    return logs.notWorse >= -Math.log(ALPHA_NOT_WORSE) ? 'not-worse' : 'undecided';
  }
}

const SAYS: Readonly<Record<Exclude<MetricVerdict, 'no-data'>, string>> = {
  worse: 'more than is allowed',
  'not-worse': 'shown to be within what is allowed',
  undecided: 'not decided',
};

/**
 * What all metrics say together. A critical one that is worse decides, and so do others that hold more than half of the
 * weight. A critical metric without data keeps everything from passing.
 */
export function overall(metrics: readonly MetricJudgement[]): Judgement {
  const worst = metrics.find(({ verdict, metric }) => verdict === 'worse' && metric.critical);
  if (worst !== undefined) return { verdict: 'worse', reason: named(worst), metrics };
  const others = metrics.filter(({ metric }) => !metric.critical);
  const weigh = (some: readonly MetricJudgement[]): number => some.reduce((sum, { metric }) => sum + metric.weight, 0);
  const worse = others.filter(({ verdict }) => verdict === 'worse');
  if (worse.length > 0 && weigh(worse) * 2 > weigh(others))
    return { verdict: 'worse', reason: worse.map(named).join('; '), metrics };
  const broken = metrics.find(({ estimates, metric }) => metric.critical && (estimates?.baseline.low ?? 0) > BROKEN);
  if (broken !== undefined)
    return {
      verdict: 'environment',
      reason: `the old version fails too, so it is not the release: ${named(broken)}`,
      metrics,
    };
  const blind = metrics.find(
    ({ verdict, metric }) => verdict === 'no-data' && (metric.critical || metrics.length === 1),
  );
  if (blind !== undefined) return { verdict: 'no-data', reason: named(blind), metrics };
  const open = metrics.find(({ verdict }) => verdict !== 'not-worse');
  if (open === undefined)
    return { verdict: 'not-worse', reason: 'every metric is shown to be within what is allowed', metrics };
  return { verdict: 'undecided', reason: named(open), metrics };
}

function named({ metric, reason }: MetricJudgement): string {
  return `${metric.name} ${reason}`;
}

/**
 * The share with Wilson's 95 % interval, for people: it is that of one look at counts without bursts, and decides
 * nothing (E. B. Wilson, Probable inference, J. Am. Stat. Assoc. 22, 1927).
 */
function estimate({ bad, total }: Count): Estimate {
  const [z, value] = [1.96, bad / total];
  const middle = (value + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const half = (z / (1 + z ** 2 / total)) * Math.sqrt((value * (1 - value)) / total + z ** 2 / (4 * total ** 2));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

function standardError({ bad, total }: Count): number {
  return Math.sqrt(((bad / total) * (1 - bad / total)) / total);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.001 ? 3 : share < 0.1 ? 2 : 1)} %`;
}

function round(count: number): string {
  return Math.round(count).toLocaleString('en');
}
