import { randomUUID } from 'node:crypto';
import { Failed, UserError } from '../action/errors.ts';
import { AwsError } from '../aws/rest.ts';
import { invalidationPaths } from '../site/invalidation.ts';
import type { Snapshot } from '../site/plan.ts';
import type { Claim } from '../site/pointer.ts';
import type { Release } from '../site/release.ts';
import { visit } from '../site/visit.ts';
import { addressOf } from './plan.ts';
import type { Scene } from './scene.ts';
import type { Change } from './switch.ts';

const POLL_MS = 3000;
/** CloudFront has told that it is through; an edge that lags gets this long. */
const SEEN_MS = 60_000;

/** Sees to it that visitors get the release: invalidates what changed, waits, and fetches the page. */
export async function reach(
  scene: Scene,
  release: Release,
  { claimed, snapshot, switching, overwritten }: Change,
): Promise<void> {
  const changed = [...switching.copy, ...switching.remove, ...overwritten].map(({ path }) => path);
  const assets = [...release.files, ...snapshot.recent.flatMap(({ files }) => files)];
  await invalidate(scene, claimed, {
    paths: changed,
    assets: assets.filter(({ kind }) => kind === 'asset').map(({ path }) => path),
    isFirst: snapshot.current === undefined || isOwed(scene, snapshot),
  });
  await see(scene, release);
}

/** Whether CloudFront was not told of what is served, since an earlier run ended before. */
export function isOwed({ edge }: Scene, { held }: Snapshot): boolean {
  return edge !== undefined && held.pointer.untold === true;
}

/** @throws Failed (timed-out) when CloudFront is not through in time */
export async function invalidate(
  { edge, host, given, record }: Scene,
  claimed: Claim,
  changed: { readonly paths: readonly string[]; readonly assets: readonly string[]; readonly isFirst: boolean },
): Promise<void> {
  if (edge === undefined) return;
  const { cloudFront, distribution, base } = edge;
  const paths = invalidationPaths({ ...changed, base, fallbacks: distribution.fallbacks });
  if (paths.length === 0) return claimed.told();
  const started = host.clock.now();
  const deadline = started + given.timeout;
  const reference = randomUUID();
  const rest = async (): Promise<void> => {
    if (host.clock.now() > deadline) {
      throw new Failed(
        `CloudFront has not confirmed the invalidation within ${given.timeout / 1000} s: some visitors may still get the old pages`,
        { verdict: 'timed-out' },
        {
          remedy: `The new release is in the bucket, and CloudFront goes on by itself. See: aws cloudfront get-invalidation --distribution-id ${distribution.id} --id ${record.invalidation?.id ?? '(none yet)'}`,
        },
      );
    }
    await host.clock.sleep(POLL_MS, host.signal);
  };
  while (record.invalidation === undefined) {
    try {
      const id = await cloudFront.invalidate(distribution.id, paths, reference);
      record.invalidation = { id, paths };
      await claimed.told();
    } catch (error) {
      if (!isBusy(error)) throw error;
      host.log.info('CloudFront is busy with other invalidations: waiting');
      await rest();
    }
  }
  host.log.info(`invalidates ${paths.join(' ')} (${record.invalidation.id})`);
  while (!(await cloudFront.isInvalidated(distribution.id, record.invalidation.id))) await rest();
  record.invalidation.seconds = (host.clock.now() - started) / 1000;
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof UserError && error.cause instanceof AwsError && error.cause.name.startsWith('TooManyInvalidations')
  );
}

/** @throws Failed when the address does not show the page of the release */
async function see({ given, host, record, target }: Scene, { files }: Release): Promise<void> {
  const address = addressOf(given.url, target);
  const page = files.find(({ path }) => path === 'index.html');
  if (address === '' || page === undefined) return;
  const deadline = host.clock.now() + Math.min(SEEN_MS, given.timeout);
  for (;;) {
    const seen = await visit(address, host.env, host.signal);
    if (typeof seen !== 'string' && seen.status === 200 && seen.sha256 === page.sha256) {
      record.isSeen = true;
      return host.log.info(`${address} shows the release`);
    }
    if (host.clock.now() > deadline) throw unseen(address, seen);
    await host.clock.sleep(POLL_MS, host.signal);
  }
}

function unseen(address: string, seen: Awaited<ReturnType<typeof visit>>): Failed {
  const outputs = { verdict: 'failed' };
  if (typeof seen === 'string') {
    const remedy = 'Check the input url and that the runner reaches it; leave url out where it does not.';
    return new Failed(`The release is in place, but ${address} does not answer: ${seen}`, outputs, { remedy });
  }
  if (seen.status !== 200) {
    const remedy =
      'The bucket policy has to let the distribution read (s3:GetObject for cloudfront.amazonaws.com), and the distribution needs index.html as its default root object.';
    return new Failed(`The release is in place, but ${address} answers ${seen.status}`, outputs, { remedy });
  }
  const remedy =
    'Check that url is the address of this distribution and prefix, and that nothing on the way changes or keeps pages.';
  return new Failed(`The release is in place, but ${address} shows another page`, outputs, { remedy });
}
