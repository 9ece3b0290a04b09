import type { RunInfo } from '../action/host.ts';
import type { KubeObject } from '../kube/kube.ts';
import { ORIGIN } from '../kube/tree.ts';
import type { DeployInputs } from './inputs.ts';

/** Production refuses images without a digest unless told otherwise. */
export function digestRequired(inputs: DeployInputs): boolean {
  return inputs.requireDigest ?? inputs.environment.toLowerCase() === 'production';
}

/**
 * Notes on an object where it came from. The notes stand on the object itself and never on its pod template, so a new
 * commit alone restarts nothing.
 */
export function withOrigin(object: KubeObject, info: RunInfo): KubeObject {
  const notes = Object.entries({
    commit: info.sha,
    run: info.runUrl,
    actor: info.actor,
    repository: info.repository,
  }).filter(([, value]) => value !== '');
  const annotations = Object.fromEntries(notes.map(([name, value]) => [`${ORIGIN}${name}`, value]));
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  };
}
