import { at, isRecord, textAt } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { isSame, keyedLists, wishOf, withoutOrigin } from './tree.ts';
import { type Step, wordsFor } from './words.ts';

/** One field that is another afterwards, in words. Values are foreign text, shortened, and absent where they are secret. */
export interface FieldChange {
  readonly how: 'added' | 'removed' | 'changed';
  /** Such as `memory limit` or `environment variable LOG_LEVEL`. */
  readonly what: string;
  readonly from?: string;
  readonly to?: string;
}

const MAX_VALUE = 60;
const SECRET_NAME =
  /pass(word|wd|phrase)|secret|token|credential|private|(api|access|auth|encryption|signing)[_-]?key/i;
const SECRET_VALUE = /:\/\/[^/\s]*:[^/\s]*@|-----BEGIN/;
/** A name of a secret and what is set to it, as in `--db-password=…` and `Server=db;Password=…`. */
const SECRET_WITHIN = new RegExp(String.raw`(${SECRET_NAME.source})[\w.-]*["']?\s*[=:\s]\s*\S`, 'i');

/**
 * What people would notice of a change from one state of an object to the next, both as the API server tells them:
 * defaults stand in both and so do not count, nor do status, bookkeeping and the notes of where an object came from.
 * Values of Secrets, and what is named or looks like one elsewhere, are never told.
 */
export function changesOf(before: KubeObject, after: KubeObject): readonly FieldChange[] {
  const found = differences(withoutOrigin(wishOf(before)), withoutOrigin(wishOf(after)), []);
  const changes = [...found].map((difference) => inWords(difference, after));
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()];
}

/** The same changes the other way round, as a rollback makes them. */
export function reversed(changes: readonly FieldChange[]): readonly FieldChange[] {
  const opposite = { added: 'removed', removed: 'added', changed: 'changed' } as const;
  return changes.map(({ how, what, from, to }) => ({
    how: opposite[how],
    what,
    ...(to === undefined ? {} : { from: to }),
    ...(from === undefined ? {} : { to: from }),
  }));
}

/** Whether a change makes the pods of a workload start anew. */
export function restartsPods(before: KubeObject, after: KubeObject): boolean {
  if (!['Deployment', 'StatefulSet', 'DaemonSet'].includes(after.kind)) return false;
  return !isSame(at(before, 'spec', 'template'), at(after, 'spec', 'template'));
}

interface Difference {
  readonly path: readonly Step[];
  readonly before: unknown;
  readonly after: unknown;
}

function* differences(before: unknown, after: unknown, path: readonly Step[]): Generator<Difference> {
  if (isSame(before, after)) return;
  const isItem = path.at(-1)?.item === true;
  // A field that is new is told by what it holds, an item of a list by its name.
  const [old, now] = isItem ? [before, after] : [before ?? emptyLike(after), after ?? emptyLike(before)];
  const within = [...inner(old, now, path)];
  if (within.length > 0) yield* within;
  else yield { path, before, after };
}

function* inner(before: unknown, after: unknown, path: readonly Step[]): Generator<Difference> {
  if (isRecord(before) && isRecord(after)) {
    for (const name of unionOf(Object.keys(before), Object.keys(after)))
      yield* differences(before[name], after[name], [...path, { name }]);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now] = keyedLists(before, after) ?? [];
    if (!old || !now) return;
    for (const name of unionOf(old.keys(), now.keys()))
      yield* differences(old.get(name), now.get(name), [...path, { name, item: true }]);
  }
}

function emptyLike(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return isRecord(value) ? {} : undefined;
}

function unionOf(...keys: readonly Iterable<string>[]): readonly string[] {
  return [...new Set(keys.flatMap((some) => [...some]))];
}

function inWords({ path, before, after }: Difference, object: KubeObject): FieldChange {
  const what = wordsFor(path, object);
  const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const values = [telling(before, path), telling(after, path)] as const;
  if (isSecret(path, object) || values.some((value) => looksSecret(value ?? ''))) return { how, what };
  const [from, to] = shortened(...values);
  return { how, what, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function isSecret(path: readonly Step[], object: KubeObject): boolean {
  if (object.kind === 'Secret' && object.apiVersion === 'v1') return true;
  const names = path.map(({ name }) => name);
  const variable = names.indexOf('env') + 1;
  return SECRET_NAME.test((variable > 0 ? names[variable] : names.at(-1)) ?? '');
}

function looksSecret(value: string): boolean {
  return SECRET_VALUE.test(value) || SECRET_WITHIN.test(value);
}

/** What of a value is worth a look: a variable's value, a number, a word; not a whole structure. */
function telling(value: unknown, path: readonly Step[]): string | undefined {
  if (path.at(-2)?.name === 'env' && isRecord(value)) return textAt(value, 'value') || undefined;
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(' ');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;
}

/** Two images of one repository differ in tag or digest, so only that is told; a digest by its first digits. */
function shortened(
  from: string | undefined,
  to: string | undefined,
): readonly [string | undefined, string | undefined] {
  const [old, now] = [reference(from), reference(to)];
  if (from === to) return [undefined, undefined];
  if (old && now && old.repository === now.repository) return [old.version, now.version];
  return [old ? `${old.repository}@${old.version}` : clip(from), now ? `${now.repository}@${now.version}` : clip(to)];
}

function reference(text: string | undefined): { repository: string; version: string } | undefined {
  const digest = /^([\w./:-]+)@sha256:([0-9a-f]{8})[0-9a-f]{56}$/.exec(text ?? '');
  if (digest) return { repository: digest[1] ?? '', version: `sha256:${digest[2]}…` };
  return undefined;
}

function clip(text: string | undefined): string | undefined {
  const lines = text?.trimEnd().split('\n').length ?? 0;
  if (lines > 1) return `${lines} lines`;
  return text !== undefined && text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text;
}
