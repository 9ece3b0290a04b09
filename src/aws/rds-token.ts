import type { Credentials } from './credentials.ts';
import { presigned } from './signature.ts';

/** How long RDS takes a token for a new session; one that is open stays open. */
export const RDS_TOKEN_SECONDS = 900;

/** Whom a token lets in; `now` is in milliseconds since 1970. */
export interface RdsTokenRequest {
  /** The endpoint itself: RDS checks it, so a name of one's own in DNS does not do. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  readonly now: number;
}

/**
 * A password for RDS and Aurora with IAM authentication: a presigned URL of `rds-db:connect` without its scheme, good
 * for 15 minutes (Amazon RDS User Guide, "Connecting to your DB instance using IAM authentication").
 */
export function rdsToken(credentials: Credentials, { host, port, user, region, now }: RdsTokenRequest): string {
  return presigned(
    {
      host: `${host}:${port}`,
      query: { Action: 'connect', DBUser: user },
      service: 'rds-db',
      region,
      now,
      expires: RDS_TOKEN_SECONDS,
    },
    credentials,
  );
}
