import type { Problem } from '../action/errors.ts';
import { type JobOutcome, type Outcome, findingsOf, highestRisk, isBroken } from './outcome.ts';

/**
 * What a run came to in a word. `safe`, `risky` and `broken` judge a change; `nothing` had nothing to look at or to do;
 * `applied`, `failed`, `cancelled` are of apply; `told` of status and of a repair that only showed; `mended` of one that
 * did something.
 */
export type Verdict = 'nothing' | 'safe' | 'risky' | 'broken' | 'applied' | 'failed' | 'cancelled' | 'told' | 'mended';

export function verdictOf(outcome: Outcome): Verdict {
  if (outcome.mode === 'status' || outcome.mode === 'capture-schema') return 'told';
  if (outcome.mode === 'repair') return repaired(outcome.found);
  if (outcome.mode === 'job') return outcome.result.verdict === 'succeeded' ? 'applied' : 'failed';
  if (outcome.mode === 'apply') return applied(outcome.applied.map(({ report }) => report.state));
  if (findingsOf(outcome).some((finding) => isBroken(finding))) return 'broken';
  if (outcome.checked.every(({ migrations }) => migrations.length === 0)) return 'nothing';
  return highestRisk(outcome.checked) === 'high' ? 'risky' : 'safe';
}

function applied(states: readonly string[]): Verdict {
  for (const state of ['failed', 'cancelled', 'applied'] as const) if (states.includes(state)) return state;
  return 'nothing';
}

function repaired(found: readonly { readonly state: string }[]): Verdict {
  if (found.some(({ state }) => state === 'failed')) return 'failed';
  if (found.some(({ state }) => state === 'mended')) return 'mended';
  return found.length === 0 ? 'nothing' : 'told';
}

/** Why the job fails; undefined where it passes. */
export function failureOf(outcome: Outcome, verdict: Verdict, failOn: 'broken' | 'high'): Problem | undefined {
  if (outcome.mode === 'apply' && (verdict === 'failed' || verdict === 'cancelled')) {
    const failure = outcome.applied.find(({ report }) => report.failure !== undefined)?.report.failure;
    return { message: failure?.message ?? 'not all migrations were applied', ...(failure && { remedy: failure.next }) };
  }
  if (outcome.mode === 'job' && verdict === 'failed') return jobFailure(outcome);
  if (outcome.mode === 'repair' && verdict === 'failed') {
    const failed = outcome.found.find(({ state }) => state === 'failed');
    return { message: `${failed?.name} was not mended: ${failed?.problem}`, remedy: 'The summary says what is there.' };
  }
  const worst = findingsOf(outcome).find((finding) => isBroken(finding));
  if (verdict === 'broken' && worst !== undefined) {
    return { message: worst.message, remedy: worst.remedy, place: worst.place };
  }
  if (verdict === 'risky' && failOn === 'high') {
    return {
      message: 'the change has a high risk',
      remedy: 'Mend what the summary shows first, or allow it with a reason.',
    };
  }
  return undefined;
}

function jobFailure({ job, result }: JobOutcome): Problem {
  const how =
    result.verdict === 'timed-out' ? 'did not end in time' : `failed (exit code ${result.exitCode ?? 'unknown'})`;
  return {
    message: `the Job ${job} ${how}: ${result.lines.at(-1) ?? result.evidence?.why ?? 'it wrote nothing'}`,
    remedy: 'Its last lines are in the summary. What it did before stays; running it again has to be safe.',
  };
}
