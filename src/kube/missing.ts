import { at, isRecord, itemsAt, textAt } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { podSpecPath } from './pod-spec.ts';

/** A Secret or ConfigMap, or a key of one, that a pod needs and that is not there. */
export interface Missing {
  readonly kind: 'Secret' | 'ConfigMap';
  /** `''` when the cluster names only the key. */
  readonly name: string;
  /** The key that the object lacks; absent when there is no such object. */
  readonly key?: string;
}

/** What is missing, by the kubelet's sentence on a variable (kuberuntime) or a volume (configmap.go, secret.go). */
export function missingConfig(message: string): Missing | undefined {
  const object = /\b(secret|configmap) "([^"]+)" not found/i.exec(message);
  if (object) return { kind: kindOf(object[1]), name: object[2] ?? '' };
  const key = /couldn't find key (\S+) in (Secret|ConfigMap) (?:[^/\s]+\/)?(\S+)/i.exec(message);
  if (key) return { kind: kindOf(key[2]), name: key[3] ?? '', key: key[1] ?? '' };
  const inVolume = /references non-existent (secret|config) key: (\S+)/i.exec(message);
  return inVolume ? { kind: kindOf(inVolume[1]), name: '', key: inVolume[2] ?? '' } : undefined;
}

/** The missing thing with its name, which the workload's volumes know when the cluster did not say it. */
export function named(missing: Missing, workload: KubeObject | undefined): Missing {
  if (missing.name !== '' || !workload) return missing;
  const volumes = itemsAt(workload, ...(podSpecPath(workload.kind) ?? []), 'volumes');
  const field = missing.kind === 'Secret' ? 'secret' : 'configMap';
  const volume = volumes.find((entry) =>
    itemsAt(entry, field, 'items').some((item) => at(item, 'key') === missing.key),
  );
  return { ...missing, name: textAt(volume, field, 'secretName') || textAt(volume, field, 'name') };
}

/** Names of the environment variables that a workload reads from there, each once. */
export function variablesOf(missing: Missing, workload: KubeObject | undefined): readonly string[] {
  const spec = workload && podSpecPath(workload.kind);
  if (!spec) return [];
  const field = missing.kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
  const found = ['initContainers', 'containers']
    .flatMap((list) => itemsAt(workload, ...spec, list))
    .flatMap((container) => itemsAt(container, 'env'))
    .filter((variable) => {
      const source = at(variable, 'valueFrom', field);
      return at(source, 'name') === missing.name && (missing.key === undefined || at(source, 'key') === missing.key);
    });
  return [...new Set(found.map((variable) => textAt(variable, 'name')))];
}

/** The keys that a Secret or ConfigMap has: names only, never a value. */
export function keysOf(object: KubeObject): readonly string[] {
  return ['data', 'binaryData'].flatMap((field) => {
    const data = at(object, field);
    return isRecord(data) ? Object.keys(data) : [];
  });
}

function kindOf(word = ''): Missing['kind'] {
  return word.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';
}
