import { createHash, createHmac } from 'node:crypto';
import type { Asked } from './stand-in.ts';

/** What is wrong with the signature of a request, by S3's codes; undefined where nothing is. */
export type SignatureFault = 'RequestTimeTooSkewed' | 'SignatureDoesNotMatch' | 'XAmzContentSHA256Mismatch';

const LARGEST_SKEW_MS = 15 * 60_000;

/**
 * Computes the Signature Version 4 of a request anew, from what came over the wire and the secret of its session, as S3
 * and CloudFront do (AWS's "Authenticating Requests: Using the Authorization Header").
 */
export function signatureFault(
  { method, url, headers, body, bytes }: Asked,
  secret: string,
): SignatureFault | undefined {
  const [, scope = '', names = '', signature] =
    /Credential=[^/]+\/([^,]+), *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ??
    [];
  const [day = '', region = '', service = ''] = scope.split('/');
  const [time, payload] = [String(headers['x-amz-date']), String(headers['x-amz-content-sha256'])];
  const signed = names.split(';');
  // Whoever leaves one of these out lets others change it under way.
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  if (needed.some((name) => !signed.includes(name))) return 'SignatureDoesNotMatch';
  if (payload !== sha256(bytes ?? body)) return 'XAmzContentSHA256Mismatch';
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(Date.now() - at) < LARGEST_SKEW_MS)) return 'RequestTimeTooSkewed';
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1).split('&').toSorted().join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    payload,
  ].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (held, part) => hmac(held, part),
    Buffer.from(`AWS4${secret}`),
  );
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
