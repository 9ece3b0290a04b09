import { randomBytes } from 'node:crypto';
import type { Session } from './aws-token.ts';

/** What the lab answers in place of AWS. */
export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/xml';
  readonly body: string;
}

export interface ClusterPlace {
  readonly name: string;
  readonly endpoint: string;
  /** PEM. */
  readonly ca: string;
  readonly region: string;
  readonly accountId: string;
}

const hour = 3_600_000;

/** EKS DescribeCluster: the lab's cluster, or EKS's own error for any other name. */
export function describeCluster(name: string, place: ClusterPlace): Answer {
  if (name !== place.name) {
    const message = `No cluster found for name: ${name}.`;
    return json(404, { __type: 'ResourceNotFoundException', message, clusterName: name });
  }
  const arn = `arn:aws:eks:${place.region}:${place.accountId}:cluster/${name}`;
  const certificateAuthority = { data: Buffer.from(place.ca).toString('base64') };
  const cluster = { name, arn, endpoint: place.endpoint, certificateAuthority, status: 'ACTIVE' };
  return json(200, { cluster });
}

/**
 * STS AssumeRoleWithWebIdentity. The token must be an RS256 JWT for `sts.amazonaws.com` that has
 * not expired; its signature is not checked. A role ending in `/forbidden` is denied.
 */
export function assumeRole(form: URLSearchParams, sessions: Map<string, Session>, now: number): Answer {
  const roleArn = form.get('RoleArn') ?? '';
  const fault = identityFault(form.get('WebIdentityToken') ?? '', now);
  if (fault !== undefined) return stsError(400, fault.code, fault.message);
  if (!/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/u.test(roleArn)) {
    return stsError(400, 'ValidationError', 'RoleArn is not valid');
  }
  if (roleArn.endsWith('/forbidden')) {
    return stsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
  const keyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secret = randomBytes(30).toString('base64url');
  const sessionToken = randomBytes(48).toString('base64');
  const expires = now + hour;
  sessions.set(keyId, { secret, sessionToken, roleArn, expires });
  return xml(
    200,
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${keyId}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${new Date(expires).toISOString()}</Expiration></Credentials><AssumedRoleUser><Arn>${roleArn}</Arn><AssumedRoleId>AROALAB:lab</AssumedRoleId></AssumedRoleUser></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
}

/** An error in the form of AWS's query protocol. */
export function stsError(status: number, code: string, message: string): Answer {
  return xml(
    status,
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  );
}

function identityFault(token: string, now: number): { code: string; message: string } | undefined {
  const invalid = (message: string) => ({ code: 'InvalidIdentityToken', message });
  const [head, claims] = token.split('.').map(part);
  if (head?.['alg'] !== 'RS256' || claims === undefined) return invalid('not an RS256 JWT');
  const audiences = [claims['aud']].flat();
  if (!audiences.includes('sts.amazonaws.com')) return invalid('Incorrect token audience');
  const end = claims['exp'];
  if (typeof end === 'number' && end * 1000 > now) return undefined;
  return { code: 'ExpiredTokenException', message: 'Token expired' };
}

function part(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

function xml(status: number, body: string): Answer {
  return { status, type: 'text/xml', body };
}
