import type { Credentials } from './credentials.ts';

const ATTEMPTS = 5;
const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;

/** What every client of the SDK is made with: it tries five times and never waits without end, as it would by itself. */
export function clientSettings(
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  region: string,
  endpoint: string | undefined,
) {
  return {
    region,
    maxAttempts: ATTEMPTS,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
