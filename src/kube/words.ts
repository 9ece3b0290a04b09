import { at, itemsAt } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { podSpecPath } from './pod-spec.ts';

/** A step of a path into an object: a field's name, or the name of an item of a list. */
export interface Step {
  readonly name: string;
  readonly item?: boolean;
}

const FIELDS: Readonly<Record<string, string>> = {
  'spec.replicas': 'number of pods',
  'resources.limits.memory': 'memory limit',
  'resources.requests.memory': 'memory request',
  'resources.limits.cpu': 'CPU limit',
  'resources.requests.cpu': 'CPU request',
  'spec.minReplicas': 'smallest number of pods',
  'spec.maxReplicas': 'largest number of pods',
  'spec.schedule': 'schedule',
};
const ITEMS: Readonly<Record<string, string>> = {
  containers: 'container',
  initContainers: 'init container',
  env: 'environment variable',
  ports: 'port',
  volumes: 'volume',
  volumeMounts: 'mount',
  imagePullSecrets: 'pull secret',
};

/** A field in words that need no manual, such as `memory limit of api` for a path into the container `api`. */
export function wordsFor(path: readonly Step[], object: KubeObject): string {
  const names = path.map(({ name }) => name);
  const [first = '', second = ''] = names;
  if (['data', 'binaryData', 'stringData'].includes(first) && names.length === 2)
    return object.kind === 'Secret' ? `key ${second}` : second;
  const inPod = podSpecPath(object.kind);
  if (inPod && startsWith(names, inPod))
    return inPodWords(path.slice(inPod.length), itemsAt(object, ...inPod, 'containers'));
  const template = inPod?.slice(0, -1);
  if (template && template.length > 0 && startsWith(names, [...template, 'metadata']))
    return `pod ${metadataWords(names.slice(template.length + 1))}`;
  if (first === 'metadata') return metadataWords(names.slice(1));
  return FIELDS[names.join('.')] ?? plain(first === 'spec' ? path.slice(1) : path);
}

function inPodWords(path: readonly Step[], containers: readonly unknown[]): string {
  const [list, item, ...rest] = path;
  if (!list || !item?.item || !/^(initC|c|ephemeralC)ontainers$/.test(list.name)) return plain(path);
  if (rest.length === 0) return plain(path);
  const field = FIELDS[rest.map(({ name }) => name).join('.')] ?? plain(rest);
  const only = list.name === 'containers' && containers.length === 1 && at(containers[0], 'name') === item.name;
  return only ? field : `${field} of ${item.name}`;
}

function metadataWords([kind = '', ...name]: readonly string[]): string {
  const one: Readonly<Record<string, string>> = { labels: 'label', annotations: 'annotation' };
  return [one[kind] ?? kind, ...name].join(' ');
}

/** A path as words: items by what they are, fields with their capitals taken apart. */
function plain(path: readonly Step[]): string {
  const words: string[] = [];
  for (const [i, { name, item }] of path.entries()) {
    const named = path[i + 1]?.item === true ? ITEMS[name] : undefined;
    words.push(item ? name : (named ?? name.replaceAll(/(?<=[a-z])[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)));
    // What of a variable changes is its value, whichever way it is given.
    if (name === 'env' && path[i + 1]?.item) return [...words, path[i + 1]?.name].join(' ');
  }
  return words.join(' ');
}

function startsWith(names: readonly string[], prefix: readonly string[]): boolean {
  return names.length > prefix.length && prefix.every((name, i) => names[i] === name);
}
