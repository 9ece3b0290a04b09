import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What the token check needs to know about the cluster and the sessions that STS gave out. */
export interface TokenRules {
  readonly clusterName: string;
  /** Age at which the API server turns tokens away; 900 on EKS. */
  readonly maxAgeSeconds: number;
  /** Session by access key id. */
  readonly sessions: ReadonlyMap<string, Session>;
}

/** What STS gave out when a role was assumed. */
export interface Session {
  readonly secret: string;
  readonly sessionToken: string;
  readonly roleArn: string;
  /** `arn:aws:sts::…:assumed-role/<role>/<session>`. */
  readonly arn: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** The access key whose session signed the token, or why the token is turned away. */
export type TokenVerdict = { readonly keyId: string } | { readonly refused: string };

const stsHost = /^sts\.([a-z0-9-]+\.)?amazonaws\.com(\.cn)?$/;
const prefix = 'k8s-aws-v1.';
const longestExpiry = 60;
const longestToken = 16_384;

/**
 * Judges an EKS bearer token as aws-iam-authenticator does: a presigned GetCallerIdentity whose
 * signature covers the cluster's name. The signature is recomputed with the session's secret.
 */
export function reviewToken(token: string, rules: TokenRules, now: number): TokenVerdict {
  const url = tokenUrl(token);
  if (url === undefined) return { refused: 'not an EKS token' };
  if (!stsHost.test(url.host)) return { refused: `${url.host} is not STS` };
  const query = url.searchParams;
  if (query.get('Action') !== 'GetCallerIdentity') return { refused: 'not GetCallerIdentity' };
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  if (!signed.includes('x-k8s-aws-id')) return { refused: 'x-k8s-aws-id is not signed' };
  const untimely = timeFault(query, rules, now);
  if (untimely !== undefined) return { refused: untimely };
  const [keyId = ''] = (query.get('X-Amz-Credential') ?? '').split('/');
  const session = rules.sessions.get(keyId);
  if (session === undefined) return { refused: 'unknown access key' };
  if (session.expires <= now) return { refused: 'session has expired' };
  if (query.get('X-Amz-Security-Token') !== session.sessionToken) {
    return { refused: 'wrong session token' };
  }
  const headers = { host: url.host, 'x-k8s-aws-id': rules.clusterName };
  const expected = presignature(url, headers, session.secret);
  if (expected === undefined || !same(expected, query.get('X-Amz-Signature') ?? '')) {
    return { refused: 'wrong signature or cluster' };
  }
  return { keyId };
}

/**
 * The Signature Version 4 of a presigned GET, hexadecimal; undefined when its scope or a signed
 * header is missing. Per AWS's "Authenticating Requests: Using Query Parameters".
 */
export function presignature(url: URL, headers: Readonly<Record<string, string>>, secret: string): string | undefined {
  const query = url.searchParams;
  const [, date, region, service, end] = (query.get('X-Amz-Credential') ?? '').split('/');
  if (!date || !region || !service || end !== 'aws4_request') return undefined;
  const names = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  if (!names.includes('host') || names.some((name) => headers[name] === undefined)) {
    return undefined;
  }
  const parameters = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted();
  const canonical = [
    'GET',
    url.pathname,
    parameters.join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    sha256(''),
  ].join('\n');
  const scope = [date, region, service, end].join('/');
  const text = ['AWS4-HMAC-SHA256', query.get('X-Amz-Date'), scope, sha256(canonical)].join('\n');
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [date, region, service, end]) key = hmac(key, part);
  return hmac(key, text).toString('hex');
}

function tokenUrl(token: string): URL | undefined {
  if (!token.startsWith(prefix) || token.length > longestToken) return undefined;
  const text = Buffer.from(token.slice(prefix.length), 'base64url').toString('utf8');
  return URL.canParse(text) ? new URL(text) : undefined;
}

function timeFault(query: URLSearchParams, rules: TokenRules, now: number): string | undefined {
  const expires = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  if (!(expires >= 0 && expires <= longestExpiry)) return 'X-Amz-Expires is not within 60 s';
  const stamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(query.get('X-Amz-Date') ?? '');
  if (stamp === null) return 'no X-Amz-Date';
  const [, year, month, day, hour, minute, second] = stamp;
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const age = (now - signedAt) / 1000;
  if (!(age <= rules.maxAgeSeconds)) return 'token has expired';
  return age < -300 ? 'token is from the future' : undefined;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (sign) => `%${sign.codePointAt(0)?.toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function same(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
