import type { CredentialSource, Credentials } from './credentials.ts';
import { stsHost } from './partition.ts';
import { presigned } from './signature.ts';

/** EKS takes a token for 15 minutes from its date; a minute is left for clocks that differ and requests under way. */
const TOKEN_LIFE_MS = 14 * 60_000;

/** What a cluster's token is made for; `now` is in milliseconds since 1970. */
export interface TokenRequest {
  readonly cluster: string;
  readonly region: string;
  readonly now: number;
}

/**
 * A bearer token for an EKS cluster: `k8s-aws-v1.` and the base64url of a presigned STS GetCallerIdentity URL whose
 * signed header `x-k8s-aws-id` names the cluster (README of aws-iam-authenticator). The URL names the region's own STS
 * host whatever endpoint is configured, since the cluster trusts no other.
 */
export function eksToken(credentials: Credentials, { cluster, region, now }: TokenRequest): string {
  const request = {
    host: stsHost(region),
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { 'x-k8s-aws-id': cluster },
    service: 'sts',
    region,
    now,
    expires: 60,
  };
  return `k8s-aws-v1.${Buffer.from(`https://${presigned(request, credentials)}`).toString('base64url')}`;
}

/**
 * Gives the same token while it is surely valid, then a new one, as it does at once when asked for a `fresh` one because
 * the cluster turned the last away; `mask` sees each before its first use.
 */
export function tokenSource(
  credentials: CredentialSource,
  { cluster, region }: Omit<TokenRequest, 'now'>,
  host: { readonly clock: { now(): number }; readonly mask: (secret: string) => void },
): (options?: { readonly fresh: boolean }) => Promise<string> {
  let held: { token: string; until: number } | undefined;
  return async ({ fresh } = { fresh: false }) => {
    const now = host.clock.now();
    if (held && !fresh && now < held.until) return held.token;
    const current = await credentials();
    const token = eksToken(current, { cluster, region, now });
    host.mask(token);
    held = { token, until: Math.min(now + TOKEN_LIFE_MS, current.expiration ?? Infinity) };
    return token;
  };
}
