import type { Judgement, MetricJudgement } from './judgement.ts';

/** Where this part of the baseline's own events is bad, it is not the release that is in trouble. */
const BROKEN = 0.2;

/**
 * What all metrics say together. A critical one that is worse decides, and so do others that hold at least half of the
 * weight of all others. Those that are worse with less weight are told and don't hold up the rest. What is undecided or
 * has no data does: nothing passes because it was not looked at.
 */
export function overall(metrics: readonly MetricJudgement[]): Judgement {
  if (metrics.length === 0) return { verdict: 'no-data', reason: 'there is no metric to judge by', metrics };
  const worst = metrics.find(({ verdict, metric }) => verdict === 'worse' && metric.critical);
  if (worst !== undefined) return { verdict: 'worse', reason: named(worst), metrics };
  const others = metrics.filter(({ metric }) => !metric.critical);
  const weigh = (some: readonly MetricJudgement[]): number => some.reduce((sum, { metric }) => sum + metric.weight, 0);
  const worse = others.filter(({ verdict }) => verdict === 'worse');
  if (weigh(worse) > 0 && weigh(worse) * 2 >= weigh(others))
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
  const open = metrics.find(({ verdict }) => verdict === 'undecided' || verdict === 'no-data');
  if (open === undefined) {
    const all = worse.length === 0 ? 'every metric is' : `${worse.map(named).join('; ')}; what else counts is`;
    return { verdict: 'not-worse', reason: `${all} shown to be within what is allowed`, metrics };
  }
  return { verdict: 'undecided', reason: named(open), metrics };
}

function named({ metric, reason }: MetricJudgement): string {
  return `${metric.name} ${reason}`;
}
