import { hash } from 'node:crypto';
import type { Host } from '../action/host.ts';
import type { CacheService } from '../cache/service.ts';
import { isObject } from '../project/json.ts';
import type { TestSummary } from '../test-report/result.ts';
import type { Sources } from './sources.ts';
import type { Task } from './task.ts';

/** How a task once passed. */
export interface KnownResult {
  /** The commit by which it did. */
  readonly commit: string;
  /** What its tests said, where it ran any. */
  readonly tests?: TestSummary;
}

/** Everything besides the task itself that decides how it ends. */
export interface Circumstances {
  readonly sources: Sources;
  /** Exact version of what runs it. */
  readonly runtime: string;
  readonly env: Host['env'];
}

/** Variables that change what the usual tools do; the README says that others do not count. */
const READ_BY_TOOLS = [
  'NODE_ENV',
  'NODE_OPTIONS',
  'CI',
  'TZ',
  'LANG',
  'LC_ALL',
  'PYTHONPATH',
  'DJANGO_SETTINGS_MODULE',
];
const MAX_BYTES = 16 * 1024;

/** Where it is kept that a task passed under these circumstances. */
export function resultKey({ name, command, cwd = '.' }: Task, { sources, runtime, env }: Circumstances): string {
  const named = READ_BY_TOOLS.map((one) => env[one] ?? null);
  const machine = [process.platform, process.arch, env['ImageOS'] ?? null];
  return `delivery-task-${hash('sha256', JSON.stringify([name, command, cwd, sources.hash, runtime, machine, named]))}`;
}

/**
 * Which tasks passed before under the same circumstances, all asked for at once.
 * @throws CacheFault where the service fails
 */
export async function findResults(
  tasks: readonly Task[],
  circumstances: Circumstances,
  cache: CacheService,
): Promise<ReadonlyMap<string, KnownResult>> {
  const asked = tasks.map(async (task) => {
    const entry = await cache.find(resultKey(task, circumstances));
    if (entry === undefined) return [];
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of cache.read(entry)) {
      size += chunk.length;
      if (size > MAX_BYTES) return [];
      chunks.push(chunk);
    }
    const known = parse(Buffer.concat(chunks).toString());
    return known === undefined ? [] : ([[task.name, known]] as const);
  });
  return new Map((await Promise.all(asked)).flat());
}

/** Keeps that a task passed. @throws CacheFault where the service fails */
export async function keepResult(
  task: Task,
  tests: TestSummary | undefined,
  circumstances: Circumstances,
  cache: CacheService,
  signal: AbortSignal,
): Promise<void> {
  const result: KnownResult = { commit: circumstances.sources.commit, ...(tests && { tests }) };
  await cache.save(resultKey(task, circumstances), Buffer.from(JSON.stringify(result)), signal);
}

/** What stands in the entry is checked: another version may have written it. */
function parse(text: string): KnownResult | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || typeof value['commit'] !== 'string' || !/^[0-9a-f]{40,64}$/.test(value['commit'])) {
    return undefined;
  }
  const { commit, tests } = value;
  if (!isObject(tests)) return { commit };
  const [passed, skipped] = [tests['passed'], tests['skipped']];
  if (typeof passed !== 'number' || typeof skipped !== 'number') return { commit };
  return { commit, tests: { passed, failed: 0, skipped, failures: [] } };
}
