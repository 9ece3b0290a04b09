import type { Clock } from '../action/host.ts';
import { type Evidence, diagnose } from '../kube/diagnose.ts';
import type { Doom } from '../kube/doom.ts';
import type { Kube } from '../kube/kube.ts';
import type { WaitResult } from '../kube/wait.ts';
import type { Failure } from './report.ts';

/**
 * Why the wait ended without success, with the evidence that the cluster still holds: gathered before anything is
 * rolled back, since the failed pods go with the rollback.
 * @param since when the deploy began, in milliseconds since the epoch
 */
export async function failureOf(kube: Kube, wait: WaitResult, since: number, clock: Clock): Promise<Failure> {
  const evidence = await diagnose(kube, firstFailure(wait), { since, clock });
  return {
    ref: evidence.ref,
    why: evidence.why,
    whatToDo: evidence.whatToDo,
    logs: logsOf(evidence),
    events: eventsOf(evidence),
  };
}

function firstFailure({ failed, timedOut }: WaitResult): { ref: Failure['ref']; cause: Doom } {
  if (failed) return failed;
  const [late] = timedOut;
  if (!late) throw new RangeError('a wait that succeeded has no failure');
  return { ref: late.ref, cause: { kind: 'deadline', reason: 'Timeout', message: late.message } };
}

function logsOf({ containers }: Evidence): Failure['logs'] {
  return containers
    .flatMap(({ pod, container, state, log, previousLog }) => [
      { title: `Last lines of ${container} (${pod}, previous run)`, lines: previousLog.join('\n') },
      { title: `Last lines of ${container} (${pod}, ${state})`, lines: log.join('\n') },
    ])
    .filter(({ lines }) => lines !== '')
    .slice(0, 2);
}

function eventsOf({ events }: Evidence): readonly string[] {
  return events.map(
    ({ object, reason, message, count }) => `${object} ${reason}: ${message}${count > 1 ? ` (${count} times)` : ''}`,
  );
}
