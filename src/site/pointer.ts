import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../action/host.ts';
import type { Bucket } from '../aws/s3.ts';
import { type Layout, isReleaseId, parsed, strange } from './release.ts';

/** A time for which a release was served; `until` is missing while it is. In milliseconds since 1970. */
export interface Served {
  readonly release: string;
  readonly since: number;
  readonly until?: number;
}

/** Which release is served, and who is about to change that: the one object that decides between two deploys. */
export interface Pointer {
  /** Run that made the last change; `''` outside of GitHub. */
  readonly run: string;
  /** The newest first. */
  readonly history: readonly Served[];
  /** A change is served of which CloudFront was not told yet, as of a run that ended in between. */
  readonly untold?: true;
  readonly claim?: { readonly by: string; readonly run: string; readonly release: string; readonly at: number };
}

/** A pointer as it was read; `etag` is undefined where there is none yet. */
export interface Held {
  readonly pointer: Pointer;
  readonly etag: string | undefined;
}

/** The right to change what is served, until it is given back or not renewed for {@link CLAIM_MS}. */
export interface Claim {
  /** Renews it when that is due. @throws LostClaim when another deploy took over */
  hold(): Promise<void>;
  /**
   * Makes the release the one that is served, and gives the claim back.
   * @param untold whether CloudFront has yet to be told
   * @returns the pointer as it is then
   */
  finish(untold?: boolean): Promise<Pointer>;
  /** Notes, after `finish`, that CloudFront was told; never rejects: at worst the next run tells it again. */
  told(): Promise<void>;
  /** Gives the claim back with nothing changed; never rejects. */
  giveBack(): Promise<void>;
}

export class LostClaim extends Error {
  override readonly name = 'LostClaim';
}

/** How long a claim counts that nobody renews, as of a job that was killed. */
const CLAIM_MS = 90_000;
const RENEW_MS = 20_000;
/** Releases that are remembered at most. */
export const LONGEST_HISTORY = 200;
const HEADERS = { contentType: 'application/json', cacheControl: 'no-store', contentEncoding: '' };

/** @param exists whether the list shows a pointer */
export async function readPointer(bucket: Bucket, layout: Layout, exists: boolean): Promise<Held> {
  if (!exists) return { pointer: { run: '', history: [] }, etag: undefined };
  const { body, etag } = await bucket.read(layout.pointer);
  const { run, history, claim, untold } = parsed(body.toString('utf8'), layout.pointer);
  if (typeof run !== 'string' || !Array.isArray(history) || !history.every(isServed)) throw strange(layout.pointer);
  if (claim !== undefined && !isClaim(claim)) throw strange(layout.pointer);
  const open = { ...(untold === true && ({ untold } as const)), ...(claim !== undefined && { claim }) };
  return { pointer: { run, history, ...open }, etag };
}

/** Whether another deploy changes what is served right now. */
export function isClaimed({ claim }: Pointer, now: number): boolean {
  return claim !== undefined && now - claim.at < CLAIM_MS;
}

/** Whether a run that began later than `run` has changed, or is changing, what is served. */
export function isNewer({ run: last, claim }: Pointer, run: string): boolean {
  return [last, claim?.run ?? ''].some(
    (other) => /^\d+$/.test(run) && /^\d+$/.test(other) && BigInt(other) > BigInt(run),
  );
}

/**
 * Claims the right to serve `release`, by a write that S3 takes only while the pointer is as it was read.
 * @param release `''` where nothing is to be served any more
 * @returns undefined when another deploy was faster
 */
export async function claimPointer(
  bucket: Bucket,
  layout: Layout,
  {
    held,
    release,
    run,
    clock,
  }: { readonly held: Held; readonly release: string; readonly run: string; readonly clock: Clock },
): Promise<Claim | undefined> {
  const by = randomUUID();
  let etag = held.etag;
  let renewed = 0;
  let renewing: Promise<boolean> | undefined;
  let finished: Pointer | undefined;

  /** A write whose answer was lost is sent again and then refused, though the pointer is ours. */
  const write = async (pointer: Pointer): Promise<boolean> => {
    const body = Buffer.from(JSON.stringify({ version: 1, ...pointer }));
    const written = await bucket.writeIf(layout.pointer, body, HEADERS, { etag });
    if (written === undefined) {
      const now = await bucket.read(layout.pointer);
      if (!now.body.equals(body)) return false;
      etag = now.etag;
    } else etag = written;
    renewed = clock.now();
    return true;
  };
  const { claim: _, ...base } = held.pointer;
  const claimed = (): Pointer => ({ ...base, claim: { by, run, release, at: clock.now() } });
  if (!(await write(claimed()))) return undefined;

  return {
    async hold() {
      if (clock.now() - renewed < RENEW_MS) return;
      // Many files are copied at once; only one of them may renew it.
      renewing ??= write(claimed()).finally(() => (renewing = undefined));
      if (!(await renewing)) throw new LostClaim();
    },
    async finish(untold = false) {
      const history = release === '' ? [] : historyWith(base.history, release, clock.now());
      finished = { run, history };
      const pointer: Pointer = untold || base.untold ? { ...finished, untold: true } : finished;
      if (!(await write(pointer))) throw new LostClaim();
      return pointer;
    },
    async told() {
      if (finished) await write(finished).catch(() => false);
    },
    async giveBack() {
      const limit = sleep(1500, undefined, { ref: false });
      await Promise.race([write(base).catch(() => false), limit]);
    },
  };
}

/** The history once `release` is served. */
export function historyWith(history: readonly Served[], release: string, now: number): readonly Served[] {
  const [current, ...before] = history;
  if (current?.release === release) return history;
  const ended = current === undefined ? [] : [{ ...current, until: now }];
  return [{ release, since: now }, ...ended, ...before].slice(0, LONGEST_HISTORY);
}

function isServed(value: unknown): value is Served {
  if (typeof value !== 'object' || value === null) return false;
  const { release, since, until } = value as Record<string, unknown>;
  return isReleaseId(release) && typeof since === 'number' && ['number', 'undefined'].includes(typeof until);
}

function isClaim(value: unknown): value is NonNullable<Pointer['claim']> {
  if (typeof value !== 'object' || value === null) return false;
  const { by, run, release, at } = value as Record<string, unknown>;
  return [by, run, release].every((one) => typeof one === 'string') && typeof at === 'number';
}
