import { readFile, stat } from 'node:fs/promises';
import type { RunInfo } from '../action/host.ts';
import { isObject } from '../project/json.ts';

/** What started the run, as GitHub wrote it; nothing where there is no such file. */
export type EventPayload = Readonly<Record<string, unknown>>;

const MAX_BYTES = 30 * 1024 ** 2;

/** Reads the event of the run. */
export async function readEvent({ eventPath }: Pick<RunInfo, 'eventPath'>): Promise<EventPayload> {
  try {
    if ((await stat(eventPath)).size > MAX_BYTES) return {};
    const value: unknown = JSON.parse(await readFile(eventPath, 'utf8'));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** The pull request that a run is for. */
export interface PullRequest {
  readonly number: number;
  /** Its branch lies in another repository, so the run's token may only read. */
  readonly isFork: boolean;
}

/** The pull request of an event; undefined where it is about none. */
export function pullRequestOf(eventName: string, payload: unknown): PullRequest | undefined {
  if (!/^pull_request(_target)?$/.test(eventName) || !isObject(payload)) return undefined;
  const pull = isObject(payload['pull_request']) ? payload['pull_request'] : {};
  const number = pull['number'] ?? payload['number'];
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number <= 0) return undefined;
  const [head, base] = [repositoryOf(pull['head']), repositoryOf(pull['base'])];
  return { number, isFork: head !== base };
}

function repositoryOf(side: unknown): unknown {
  const repository = isObject(side) ? side['repo'] : undefined;
  return isObject(repository) ? repository['full_name'] : undefined;
}
