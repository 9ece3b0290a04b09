import type { KubeObject } from '../kube.ts';
import { at, itemsAt, textAt } from '../fields.ts';

/** How far an object is on its way to what its manifest asks for; `reason` is one word, `message` a short sentence. */
export interface Readiness {
  readonly state: 'current' | 'progressing' | 'failed' | 'terminating' | 'unknown';
  readonly reason: string;
  readonly message: string;
}

/** One entry of `.status.conditions`; fields that are absent are `''`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

export function current(message: string): Readiness {
  return { state: 'current', reason: 'Current', message };
}

export function progressing(reason: string, message: string): Readiness {
  return { state: 'progressing', reason, message };
}

export function failed(reason: string, message: string): Readiness {
  return { state: 'failed', reason, message };
}

/** The condition of a type, when the object has it. */
export function condition(object: KubeObject, type: string): Condition | undefined {
  const found = itemsAt(object, 'status', 'conditions').find((entry) => at(entry, 'type') === type);
  if (found === undefined) return undefined;
  return {
    type,
    status: textAt(found, 'status'),
    reason: textAt(found, 'reason'),
    message: textAt(found, 'message'),
    lastTransitionTime: textAt(found, 'lastTransitionTime'),
  };
}
