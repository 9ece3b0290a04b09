import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from './credentials.ts';

/** A request to be signed; `path` is encoded already and `query` is not. */
export interface SignedRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hexadecimal digits. */
  readonly payload: string;
  readonly service: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The headers of a request with its signature among them (AWS's "Authenticating Requests: Using the Authorization
 * Header", one chunk). The path is taken as it is sent: S3 asks for that, and no other service called here has a path
 * whose second encoding would differ.
 */
export function signedHeaders(request: SignedRequest, credentials: Credentials): Readonly<Record<string, string>> {
  const { method, path, query, payload, service, region } = request;
  const time = new Date(request.now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': payload,
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers).toSorted();
  const canonical = [
    method,
    path,
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(credentials.secretAccessKey, day, region, service), toSign).toString('hex');
  const parts = [
    `Credential=${credentials.accessKeyId}/${scope}`,
    `SignedHeaders=${names.join(';')}`,
    `Signature=${signature}`,
  ];
  return { ...headers, authorization: `AWS4-HMAC-SHA256 ${parts.join(', ')}` };
}

/** A GET that somebody else sends later: the URL itself holds who asks, until when, and the signature. */
export interface Presigned {
  /** With its port, where that is not the scheme's own. */
  readonly host: string;
  readonly query: Readonly<Record<string, string>>;
  /** Headers besides `host` that the sender has to set, by names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly service: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Seconds from `now` for which it holds. */
  readonly expires: number;
}

/** `host/?query` of such a request, without its scheme (AWS's "Authenticating Requests: Using Query Parameters"). */
export function presigned(request: Presigned, credentials: Credentials): string {
  const { host, service, region } = request;
  const time = new Date(request.now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const headers = Object.entries({ ...request.headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = headers.map(([name]) => name).join(';');
  const query = canonicalQuery({
    ...request.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(request.expires),
    'X-Amz-SignedHeaders': names,
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
  });
  const canonical = ['GET', '/', query, ...headers.map((pair) => pair.join(':')), '', names, sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(credentials.secretAccessKey, day, region, service), toSign).toString('hex');
  return `${host}/?${query}&X-Amz-Signature=${signature}`;
}

/** The key of Signature Version 4 for one day, region and service (AWS IAM guide, "Create a signed request"). */
export function signingKey(secret: string, day: string, region: string, service: string): Buffer {
  return [day, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`),
  );
}

/** Parameters as they are signed and sent. */
export function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${uriEncoded(name)}=${uriEncoded(value)}`)
    .toSorted()
    .join('&');
}

/** Percent-encoded as AWS's UriEncode: everything but letters, digits and `-._~`. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** In hexadecimal digits. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
