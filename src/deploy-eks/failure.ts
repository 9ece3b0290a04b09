import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Place, type UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type Evidence, diagnose } from '../kube/diagnose.ts';
import type { Doom } from '../kube/doom.ts';
import { itemsAt, textAt } from '../kube/fields.ts';
import { type Kube, type ObjectRef, refOf } from '../kube/kube.ts';
import { podSpecPath } from '../kube/pod-spec.ts';
import type { WaitResult } from '../kube/wait.ts';
import { nameOf } from '../manifests/images.ts';
import type { Document } from '../kube/document.ts';
import { placeOf } from '../manifests/place.ts';
import { type DeployRecord, keyOf } from './record.ts';
import type { Failure } from './report.ts';

/**
 * Why the wait ended without success, with the evidence that the cluster still holds: gathered before anything is
 * rolled back, since the failed pods go with the rollback.
 */
export async function failureOf(kube: Kube, wait: WaitResult, record: DeployRecord, host: Host): Promise<Failure> {
  const { ref, cause } = firstFailure(wait);
  const evidence = await diagnose(kube, { ref, cause }, { since: record.started, clock: host.clock });
  const document = record.applied.find(({ object }) => keyOf(refOf(object)) === keyOf(ref))?.document;
  const place = document && (await placeToMend(document, evidence, host));
  return {
    ref,
    why: evidence.why,
    whatToDo: evidence.whatToDo,
    logs: logsOf(evidence),
    events: eventsOf(evidence),
    ...(place ? { place } : {}),
  };
}

/** The failure when the API server refused objects half way, although it took them in the dry run. */
export function refusalOf(error: UserError): Failure {
  const [first] = error.problems;
  return {
    why: `the cluster refused what it had accepted in the check: ${error.problems.map(describe).join('; ').slice(0, 1000)}`,
    whatToDo: first?.remedy ?? 'Look at what was refused, mend it and run the job again.',
    logs: [],
    events: [],
    ...(first?.place ? { place: first.place } : {}),
  };
}

/** The failure when the cluster does not tell, or not any more, how what was applied is doing. */
export function blindFailure({ message, remedy }: UserError): Failure {
  return {
    why: `everything was applied, but whether it serves is not known: ${message}`,
    whatToDo: remedy ?? 'Look at what the API server said, and run the job again.',
    logs: [],
    events: [],
  };
}

function firstFailure({ failed, timedOut }: WaitResult): { ref: ObjectRef; cause: Doom } {
  if (failed) return failed;
  const [late] = timedOut;
  if (!late) throw new RangeError('a wait that succeeded has no failure');
  return { ref: late.ref, cause: { kind: 'deadline', reason: 'Timeout', message: late.message } };
}

/** The line of the manifest that has to change; none where the fault is not in the manifest, such as a crash. */
async function placeToMend(document: Document, evidence: Evidence, { info }: Host): Promise<Place | undefined> {
  const { cause, missing } = evidence;
  const words = missing ? [missing.key ?? '', missing.name] : wordsOf(document, cause);
  if (words.length === 0) return undefined;
  const source = await readFile(path.join(info.workspace, document.file), 'utf8').catch(() => '');
  return placeOf(document, source, words);
}

function wordsOf({ object }: Document, { kind, container = '' }: Doom): readonly string[] {
  if (kind === 'container-start' || kind === 'out-of-memory') return [container];
  if (!kind.startsWith('image-')) return [];
  const spec = podSpecPath(object.kind) ?? [];
  const image = ['initContainers', 'containers']
    .flatMap((list) => itemsAt(object, ...spec, list))
    .find((entry) => textAt(entry, 'name') === container);
  const { path: name, last } = nameOf(textAt(image, 'image'));
  return [`image: ${textAt(image, 'image')}`, `image: ${name}`, `image: ${last}`, container];
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
