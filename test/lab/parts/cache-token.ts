import { createHmac, timingSafeEqual } from 'node:crypto';
import { isObject } from './values.ts';

/** One branch of a repository's cache, and what a job may do with it: 1 reads, 2 writes, 3 both. */
export interface Scope {
  readonly Scope: string;
  readonly Permission: number;
}

/**
 * A job's ACTIONS_RUNTIME_TOKEN. As GitHub's own it is a JWT whose claim `ac` holds the cache's scopes as JSON: first
 * the job's branch, which it writes to, then those that it only reads, such as the default branch.
 */
export function runtimeToken(secret: string, scopes: readonly Scope[]): string {
  const signed = [{ alg: 'HS256', typ: 'JWT' }, { ac: JSON.stringify(scopes) }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${signature(secret, signed)}`;
}

/** The scopes of a token; undefined where it was not signed with this secret. */
export function scopesOf(secret: string, token: string): readonly Scope[] | undefined {
  const [head = '', body = '', given = ''] = token.split('.');
  const right = Buffer.from(signature(secret, `${head}.${body}`));
  const shown = Buffer.from(given);
  if (shown.length !== right.length || !timingSafeEqual(shown, right)) return undefined;
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
  const scopes = isObject(claims) ? claims['ac'] : undefined;
  return typeof scopes === 'string' ? (JSON.parse(scopes) as readonly Scope[]) : undefined;
}

function signature(secret: string, signed: string): string {
  return createHmac('sha256', secret).update(signed).digest('base64url');
}
