import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, missingAction, told } from './errors.ts';
import { serviceHost } from './partition.ts';
import { AwsError, type Rest, type RestAnswer, type RestCall, type StreamedBody, openRest } from './rest.ts';
import { sha256, uriEncoded } from './signature.ts';
import { element, elements, escaped } from './xml.ts';

/** An object as a list tells it. */
export interface Listed {
  /** Without quotes. */
  readonly etag: string;
  readonly bytes: number;
}

/** How an object is served. */
export interface ObjectHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
  /** `''` where the bytes are the file's own. */
  readonly contentEncoding: string;
}

/** A write that counts only while the object is what the writer thinks it is. */
export interface Condition {
  /** The ETag that it has to have; `undefined` where it must not exist. */
  readonly etag: string | undefined;
}

/** What is asked of one bucket. Refusals are UserErrors that name the bucket and the IAM action. */
export interface Bucket {
  readonly name: string;
  /** Every object whose key begins with `prefix`, by key, in S3's order. */
  list(prefix: string): Promise<ReadonlyMap<string, Listed>>;
  read(key: string): Promise<{ readonly body: Buffer; readonly etag: string }>;
  /** @returns the ETag of what was written; undefined where the condition does not hold */
  write(key: string, body: Buffer | StreamedBody, headers: ObjectHeaders): Promise<string>;
  writeIf(key: string, body: Buffer, headers: ObjectHeaders, condition: Condition): Promise<string | undefined>;
  /** Copies with all headers, inside S3. @returns the ETag of the copy */
  copy(from: string, to: string): Promise<string>;
  /** Deletes. @returns those that were not deleted, with the reason */
  remove(keys: readonly string[]): Promise<readonly { readonly key: string; readonly why: string }[]>;
}

export interface BucketOptions {
  readonly name: string;
  readonly region: string;
}

/** S3 deletes up to a thousand objects in one request. */
export const DELETED_AT_ONCE = 1000;

export function openBucket(
  credentials: CredentialSource,
  { name, region }: BucketOptions,
  host: Pick<Host, 'env' | 'signal' | 'clock'>,
): Bucket {
  const given = endpointOf(host.env, 'S3');
  // A name with dots does not fit S3's certificate, and a stand-in has no names at all.
  const inPath = given !== undefined || name.includes('.');
  const endpoint = given ?? `https://${inPath ? '' : `${name}.`}${serviceHost('s3', region)}`;
  const options = { credentials, clock: host.clock, signal: host.signal, proxyEnv: host.env };
  const rest: Rest = openRest({ name: 's3', endpoint, region }, options);
  const pathOf = (key: string): string =>
    `${inPath ? `/${name}` : ''}/${key
      .split('/')
      .map((part) => uriEncoded(part))
      .join('/')}`;

  const asking = async (permission: string, call: RestCall): Promise<RestAnswer> => {
    try {
      return await rest(call);
    } catch (error) {
      host.signal.throwIfAborted();
      throw error instanceof AwsError ? explain(error, { permission, name, region }) : error;
    }
  };
  const put = async (
    key: string,
    body: Buffer | StreamedBody,
    headers: ObjectHeaders,
    condition?: Readonly<Record<string, string>>,
  ): Promise<string> => {
    const answer = await asking('s3:PutObject', {
      method: 'PUT',
      path: pathOf(key),
      body,
      headers: {
        'content-type': headers.contentType,
        'cache-control': headers.cacheControl,
        ...(headers.contentEncoding === '' ? {} : { 'content-encoding': headers.contentEncoding }),
        ...condition,
      },
    });
    return etagOf(answer.headers['etag']);
  };

  return {
    name,
    async list(prefix) {
      const found = new Map<string, Listed>();
      for (let next: string | undefined = ''; next !== undefined;) {
        const more: Record<string, string> = next === '' ? {} : { 'continuation-token': next };
        const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...more };
        const { body } = await asking('s3:ListBucket', { method: 'GET', path: pathOf(''), query });
        const xml = body.toString('utf8');
        for (const one of elements(xml, 'Contents')) {
          const key = decodeURIComponent((element(one, 'Key') ?? '').replaceAll('+', ' '));
          found.set(key, { etag: etagOf(element(one, 'ETag')), bytes: Number(element(one, 'Size')) });
        }
        next = element(xml, 'IsTruncated') === 'true' ? element(xml, 'NextContinuationToken') : undefined;
      }
      return found;
    },
    async read(key) {
      const { body, headers } = await asking('s3:GetObject', { method: 'GET', path: pathOf(key) });
      return { body, etag: etagOf(headers['etag']) };
    },
    write: put,
    async writeIf(key, body, headers, { etag }) {
      try {
        return await put(
          key,
          body,
          headers,
          etag === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${etag}"` },
        );
      } catch (error) {
        // An object that is gone meanwhile is answered with 404.
        if (error instanceof UserError && error.cause instanceof AwsError && [404, 412].includes(error.cause.status)) {
          return undefined;
        }
        throw error;
      }
    },
    async copy(from, to) {
      const source = `/${name}/${from
        .split('/')
        .map((part) => uriEncoded(part))
        .join('/')}`;
      const { body } = await asking('s3:PutObject or s3:GetObject', {
        method: 'PUT',
        path: pathOf(to),
        headers: { 'x-amz-copy-source': source },
      });
      return etagOf(element(body.toString('utf8'), 'ETag'));
    },
    async remove(keys) {
      const failed: { key: string; why: string }[] = [];
      for (let start = 0; start < keys.length; start += DELETED_AT_ONCE) {
        const chunk = keys.slice(start, start + DELETED_AT_ONCE);
        const objects = chunk.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`).join('');
        const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects}</Delete>`);
        const { body: answer } = await asking('s3:DeleteObject', {
          method: 'POST',
          path: pathOf(''),
          query: { delete: '' },
          body,
          headers: {
            'content-type': 'application/xml',
            'x-amz-checksum-sha256': Buffer.from(sha256(body), 'hex').toString('base64'),
          },
        });
        for (const one of elements(answer.toString('utf8'), 'Error')) {
          const code = element(one, 'Code') ?? 'refused';
          const why = code === 'AccessDenied' ? `the IAM action s3:DeleteObject is missing` : code;
          failed.push({ key: element(one, 'Key') ?? '', why });
        }
      }
      return failed;
    },
  };
}

function etagOf(text = ''): string {
  return text.replaceAll(/^W\/|"/g, '');
}

function explain(
  error: AwsError,
  { permission, name, region }: { readonly permission: string; readonly name: string; readonly region: string },
): UserError {
  const there = error.headers['x-amz-bucket-region'];
  if (there !== undefined && there !== region && [301, 307, 400].includes(error.status)) {
    return new UserError(`The bucket ${name} lies in ${there}, not in ${region}`, {
      remedy: `Set the input region to ${there}.`,
      cause: error,
    });
  }
  if (error.name === 'NoSuchBucket') {
    return new UserError(`There is no bucket ${name}`, {
      remedy: 'Check the input bucket (or the variable BUCKET of the environment), or create the bucket.',
      cause: error,
    });
  }
  if (error.name.startsWith('AccessDenied') || error.name === 'AllAccessDisabled') {
    return new UserError(`S3 refuses it for the bucket ${name}: ${told(error)}`, {
      remedy: `Add the IAM action ${missingAction(error, permission)} on this bucket to the policy of the role, and see that no bucket policy denies it.`,
      cause: error,
    });
  }
  return (
    credentialFault(error) ??
    new UserError(`S3 did not do it for the bucket ${name} (${error.name}): ${told(error)}`, {
      remedy: 'Check the inputs bucket and region and that the runner reaches AWS, then run the job again.',
      cause: error,
    })
  );
}
