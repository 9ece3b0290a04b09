import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { isObject } from './values.ts';

/** Signs the OIDC tokens of jobs, as token.actions.githubusercontent.com does. */
export interface Identity {
  /** A JWT of the current claims for this audience. */
  token(audience: string): string;
  /**
   * Changes claims of the tokens from now on; `lifetime` (seconds, 300 unless told) is not one but sets `exp`.
   * @throws Error unless it is an object
   */
  setClaims(value: unknown): void;
  /** The public keys, for `/.well-known/jwks`. */
  readonly keys: unknown;
}

/** The caller's repository in the lab. */
export const repository = 'acme/shop';
const issuer = 'https://token.actions.githubusercontent.com';

const usual = {
  sub: `repo:${repository}:environment:production`,
  environment: 'production',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  repository,
  repository_id: '5678',
  repository_owner: 'acme',
  repository_owner_id: '1234',
  repository_visibility: 'private',
  event_name: 'push',
  runner_environment: 'github-hosted',
};

/** An issuer with a key of its own. */
export function openIdentity(): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  let claims: Record<string, unknown> = usual;
  let lifetime = 300;
  return {
    keys: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
    setClaims(value) {
      if (!isObject(value)) throw new Error('claims are an object');
      const { lifetime: seconds = 300, ...others } = value;
      lifetime = Number(seconds);
      claims = { ...usual, ...others };
    },
    token(audience) {
      const now = Math.floor(Date.now() / 1000);
      const times = { iat: now, nbf: now - 300, exp: now + lifetime };
      const all = { iss: issuer, aud: audience, jti: randomUUID(), ...times, ...claims };
      const signed = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(all)}`;
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
