import type { IncomingHttpHeaders } from 'node:http';
import { KubeError } from './kube.ts';

/** Longest pause that a server may ask for: beyond it the next attempt comes anyway. */
const MAX_DELAY_MS = 30_000;
const delays = new WeakMap<KubeError, number>();

/** The error of an answer outside 2xx: its metav1.Status where it has one, else the start of its text. */
export function statusError(status: number, headers: IncomingHttpHeaders, body: string): KubeError {
  const said = parseStatus(body);
  const message =
    withoutValues(said?.message ?? '') || body.trim().slice(0, 500) || `the API server answered ${status}`;
  const error = new KubeError(message, {
    status,
    reason: said?.reason || reasonOf(status),
    causes: said?.causes ?? [],
  });
  const seconds = Number(headers['retry-after'] ?? said?.retryAfterSeconds);
  if (Number.isFinite(seconds) && seconds >= 0) delays.set(error, seconds * 1000);
  return error;
}

/** The error of a Status object that came within a stream. */
export function statusObjectError(status: unknown): KubeError {
  const code = field(status, 'code');
  return statusError(typeof code === 'number' ? code : 500, {}, JSON.stringify(status) ?? '');
}

/** Whether trying again may help without doing harm. A 429 was not worked on, so it may always come again. */
export function isTransient(error: KubeError, idempotent: boolean): boolean {
  if (error.status === 429) return true;
  if (!idempotent) return error.reason === 'Unreachable' && codeOf(error) === 'ECONNREFUSED';
  if (error.reason === 'Unreachable') return !isCertificateFault(error);
  return [500, 502, 503, 504].includes(error.status);
}

/** Milliseconds before attempt `tried + 1`: what the server asked for, else doubling, with up to half taken off by chance. */
export function retryDelay(error: KubeError, tried: number, backoff: number): number {
  const asked = delays.get(error);
  const grown = backoff * 2 ** (tried - 1) * (0.5 + Math.random() / 2);
  return Math.min(Math.max(asked ?? 0, grown), MAX_DELAY_MS);
}

/** Whether a call failed because the server's certificate was not accepted. */
export function isCertificateFault(error: KubeError): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/.test(codeOf(error));
}

/** The system's code of a failed connection, such as `ENOTFOUND`; `''` when there is none. */
export function codeOf(error: KubeError): string {
  const code = field(error.cause, 'code');
  return typeof code === 'string' ? code : '';
}

interface Said {
  readonly message: string;
  readonly reason: string;
  readonly causes: KubeError['causes'];
  readonly retryAfterSeconds: unknown;
}

/**
 * The server's sentence without what it quotes of the object: of a Secret whose value is a number the value, of a Job
 * that is applied anew its whole template with all variables. Words and numbers stay, as they are what is wrong.
 */
function withoutValues(message: string): string {
  return message
    .replaceAll(/(expected [\w ]+, got) &[\s\S]*?(?=\n\s*\.|$)/g, '$1 something else')
    .replaceAll(/(\w value: )[\w.*&[\]]*[{[](?:"(?:[^"\\]|\\.)*"|[^"])*?[}\]](?=: |$)/g, '$1{…}');
}

function parseStatus(body: string): Said | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (field(value, 'kind') !== 'Status') return undefined;
  const details = field(value, 'details');
  const causes = field(details, 'causes');
  return {
    message: words(field(value, 'message')),
    reason: words(field(value, 'reason')),
    causes: (Array.isArray(causes) ? causes : []).map((cause: unknown) => ({
      field: words(field(cause, 'field')),
      message: withoutValues(words(field(cause, 'message'))),
    })),
    retryAfterSeconds: field(details, 'retryAfterSeconds'),
  };
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

function reasonOf(status: number): string {
  return REASONS[status] ?? (status >= 500 ? 'InternalError' : 'Unknown');
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
