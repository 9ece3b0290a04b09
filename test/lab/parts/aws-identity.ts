import { type JsonWebKey, createPublicKey, verify } from 'node:crypto';
import { isObject } from './values.ts';

/** An OIDC token that may be believed, or STS's word for why not. */
export type IdentityVerdict =
  | { readonly claims: Readonly<Record<string, unknown>> }
  | { readonly code: string; readonly message: string };

/**
 * Judges an OIDC token as STS does: an RS256 JWT signed by one of the issuer's keys, for the audience
 * `sts.amazonaws.com`, within its time.
 * @param keys the issuer's JSON Web Key Set
 * @param now milliseconds since 1970
 */
export function judgeIdentity(token: string, keys: unknown, now: number): IdentityVerdict {
  const invalid = (message: string) => ({ code: 'InvalidIdentityToken', message });
  const [head = '', body = '', signature = ''] = token.split('.');
  const [header, claims] = [part(head), part(body)];
  if (header?.['alg'] !== 'RS256' || claims === undefined) return invalid('The ID Token provided is not a valid JWT.');
  const key = keyOf(keys, header['kid']);
  if (key === undefined) return invalid("Couldn't retrieve verification key from your identity provider");
  const signed = Buffer.from(`${head}.${body}`);
  const publicKey = createPublicKey({ key, format: 'jwk' });
  if (!verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))) {
    return invalid('The ID Token provided has no valid signature.');
  }
  if (![claims['aud']].flat().includes('sts.amazonaws.com')) return invalid('Incorrect token audience');
  const end = claims['exp'];
  if (typeof end === 'number' && end * 1000 > now) return { claims };
  return {
    code: 'ExpiredTokenException',
    message: `Token expired: current date/time ${now / 1000} must be before ${String(end)}`,
  };
}

function keyOf(keys: unknown, kid: unknown): JsonWebKey | undefined {
  const list: unknown = isObject(keys) ? keys['keys'] : undefined;
  const found: unknown = Array.isArray(list)
    ? list.find((one: unknown) => isObject(one) && one['kid'] === kid)
    : undefined;
  return isObject(found) ? found : undefined;
}

function part(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
