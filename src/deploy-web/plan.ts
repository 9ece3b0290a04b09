import { type Problem, UserError } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import type { Distribution } from '../aws/cloudfront.ts';
import { pullRequestOf } from '../github/event.ts';
import type { WebInputs } from './inputs.ts';

/** What is to happen, and where. */
export interface Target {
  readonly action: WebInputs['action'];
  readonly bucket: string;
  readonly region: string;
  /** `''`, or ends in `/`; with the preview's own part. */
  readonly prefix: string;
  /** Number of the pull request that it is a preview of. */
  readonly preview: number | undefined;
}

/** What the event of the run tells. */
export interface Event {
  /** Such as `pull_request`. */
  readonly name: string;
  /** The payload, as GitHub wrote it. */
  readonly payload: unknown;
}

/**
 * Decides the place out of the inputs and the event.
 * @throws UserError when inputs contradict each other, or the region is unknown
 */
export function planTarget(given: WebInputs, env: Readonly<Record<string, string | undefined>>, event: Event): Target {
  const problems: Problem[] = [];
  const region = given.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || '';
  const number = pullRequestOf(event.name, event.payload)?.number;
  const wantsPreview = given.preview === 'true' || (given.preview === 'auto' && number !== undefined);
  if (region === '') {
    problems.push({
      message: 'input region is missing',
      remedy: 'give the AWS region of the bucket, such as eu-central-1, or set the variable AWS_REGION',
    });
  }
  if (given.preview === 'true' && number === undefined) {
    problems.push({
      message: `input preview ("true") needs a pull request, and the event is ${quote(event.name)}`,
      remedy: 'leave preview out, or run on pull_request',
    });
  }
  if (given.action === 'remove' && !wantsPreview) {
    problems.push({
      message: 'input action ("remove") takes only previews away, and this is none',
      remedy: 'run it on pull_request (closed), or delete the site by hand',
    });
  }
  if (given.to !== '' && given.action !== 'rollback') {
    problems.push({ message: 'input to is given without action: rollback', remedy: 'leave it out, or roll back' });
  }
  if (given.prefix.split('/').some((part) => /^\.+$/.test(part))) {
    problems.push({ message: `input prefix (${quote(given.prefix)}) has a folder of dots`, remedy: 'name the folder' });
  }
  if (problems.length > 0) throw UserError.all(problems, 'it is not clear what to do');
  const base = given.prefix.replaceAll(/^\/|\/$/g, '');
  const preview = wantsPreview ? number : undefined;
  const parts = [base, preview === undefined ? '' : `previews/pr-${preview}`].filter((part) => part !== '');
  return {
    action: given.action,
    bucket: given.bucket,
    region,
    prefix: parts.map((part) => `${part}/`).join(''),
    preview,
  };
}

/** Where the site is asked for: `url` is the address of the site that previews are of. */
export function addressOf(url: string, { preview }: Target): string {
  if (url === '' || preview === undefined) return url;
  // CloudFront puts its root object in place of the outermost folder alone.
  return new URL(`previews/pr-${preview}/index.html`, url.endsWith('/') ? url : `${url}/`).href;
}

/**
 * The path behind the distribution under which the site begins, such as `/` or `/shop/`; undefined where the
 * distribution does not name the bucket, as with a proxy between both.
 * @throws UserError when it serves another folder of the bucket
 */
export function baseOf(
  { id, origins }: Distribution,
  { bucket, prefix }: Pick<Target, 'bucket' | 'prefix'>,
): string | undefined {
  const ofBucket = origins.filter(({ domain }) => domain.startsWith(`${bucket}.s3`));
  if (ofBucket.length === 0) return undefined;
  const fitting = ofBucket.filter(({ path }) => `/${prefix}`.startsWith(`${path}/`));
  const [origin] = fitting.toSorted((a, b) => b.path.length - a.path.length);
  if (origin === undefined) {
    const served = ofBucket.map(({ path }) => quote(path.slice(1))).join(', ');
    throw new UserError(`The distribution ${id} serves the folder ${served} of the bucket, not ${quote(prefix)}`, {
      remedy: 'Give the input prefix the same folder as the origin path of the distribution.',
    });
  }
  return `/${prefix}`.slice(origin.path.length);
}
