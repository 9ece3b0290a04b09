import { UserError, describe } from '../action/errors.ts';
import { graceAfter } from '../action/grace.ts';
import type { Host } from '../action/host.ts';
import { type CloudFront, type Distribution, openCloudFront } from '../aws/cloudfront.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { openBucket } from '../aws/s3.ts';
import { layoutOf } from '../site/release.ts';
import type { Workplace } from '../site/publish.ts';
import type { WebInputs } from './inputs.ts';
import { type Target, baseOf } from './plan.ts';
import type { WebRecord } from './record.ts';

/** All that a deploy, a rollback and a removal work with. */
export interface Scene extends Workplace {
  readonly given: WebInputs;
  readonly host: Host;
  readonly target: Target;
  readonly record: WebRecord;
  readonly edge: Edge | undefined;
}

/** The distribution before the bucket. */
export interface Edge {
  readonly cloudFront: CloudFront;
  readonly distribution: Distribution;
  /** The path under which the site begins there. */
  readonly base: string;
}

/** What was asked of S3 when the run is cancelled may be answered for so long, so that it is known what came of it. */
const CANCELLED_MS = 2500;

/**
 * Opens the bucket and looks the distribution up, so that a wrong id or a missing right is told before anything changes.
 * @throws UserError when there is no such distribution, or it serves another folder
 */
export async function openScene(given: WebInputs, host: Host, target: Target, record: WebRecord): Promise<Scene> {
  const { region, bucket: name, prefix } = target;
  const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
  const signal = graceAfter(host.signal, CANCELLED_MS);
  const patient = { env: host.env, clock: host.clock, signal };
  const bucket = openBucket(credentials, { name, region }, patient);
  const scene = { given, host, target, record, bucket, layout: layoutOf(prefix), signal: host.signal };
  const { progress } = record;
  if (given.distribution === '') return { ...scene, progress, edge: undefined };
  const cloudFront = openCloudFront(credentials, region, patient);
  const distribution = await cloudFront.describe(given.distribution);
  const base = baseOf(distribution, target);
  if (base === undefined) {
    note(scene, `The distribution ${distribution.id} has no origin ${name}.s3…: is it the one before this bucket?`);
  }
  return { ...scene, progress, edge: { cloudFront, distribution, base: base ?? `/${prefix}` } };
}

/** Tells what does not stop the deploy, in the log and on the page. */
export function note({ host, record }: Pick<Scene, 'host' | 'record'>, text: string): void {
  host.log.warning(text);
  record.notes.push(text);
}

/** Does what may fail without harm to visitors. */
export async function orNote<T>(scene: Pick<Scene, 'host' | 'record'>, what: string, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(scene, `${what}: ${describe(error)}`);
    return undefined;
  }
}
