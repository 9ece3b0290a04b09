import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';

/** One request to a service of the web. */
export interface Question {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: Uint8Array<ArrayBuffer> | object;
}

/** How a service is asked. */
export interface Manners {
  /** The service in words, for errors. */
  readonly what: string;
  /** What to do when it does not answer. */
  readonly remedy: string;
  /** Milliseconds for one try; 15 s unless told. */
  readonly timeout?: number;
  /** 4 unless told. */
  readonly attempts?: number;
  /** Largest answer in bytes; 16 MiB unless told. */
  readonly max?: number;
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer<ArrayBuffer>;
}

const MAX_PAUSE_MS = 30_000;

/**
 * Asks a service, bounded in time and size; 408, 429, 5xx and broken connections are tried again after the pause that
 * the service asks for.
 * @throws UserError when it gives no answer, or one that is too large; any status is an answer
 */
export async function ask(
  { url, method = 'GET', headers = {}, body }: Question,
  { what, remedy, timeout = 15_000, attempts = 4, max = 16 * 1024 * 1024 }: Manners,
  { clock, signal }: Pick<Host, 'clock' | 'signal'>,
): Promise<Answer> {
  const isBytes = body instanceof Uint8Array;
  const init = {
    method,
    // A redirect would carry the request, and what it is signed with, to a server that nobody named.
    redirect: 'manual' as const,
    headers: {
      'user-agent': 'delivery-actions',
      ...(body !== undefined && !isBytes && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
  };
  for (let tried = 1; ; tried += 1) {
    const limit = AbortSignal.timeout(timeout);
    let pause = 300 * 2 ** (tried - 1);
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.any([limit, signal]) });
      const answer = { status: response.status, headers: response.headers, body: await readAll(response, max, what) };
      const again = [408, 429].includes(answer.status) || answer.status >= 500;
      if (!again || tried >= attempts) return answer;
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      if (seconds >= 0) pause = seconds * 1000;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      if (tried >= attempts) {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        const why = limit.aborted ? `no answer within ${timeout / 1000} s` : messageOf(cause);
        throw new UserError(`${what} cannot be reached: ${why}`, { remedy, cause: error });
      }
    }
    await clock.sleep(Math.min(pause, MAX_PAUSE_MS), signal);
  }
}

/** The body of a response. @throws UserError when it is larger than `max` bytes, of which no more is read then */
export async function readAll(response: Response, max: number, what: string): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > max) throw new UserError(`${what} answered with more than ${max} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The JSON of an answer; undefined where it is none. */
export function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/**
 * An address that the environment may put in place of a public service's, for a mirror or a test: over TLS, or on this
 * machine, since secrets may go there.
 * @throws UserError for any other
 */
export function serviceUrl(env: Host['env'], name: string, usual: string): string {
  const value = env[name] || usual;
  const url = URL.parse(value);
  const isSafe = url?.protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname ?? '');
  if (url === null || !isSafe) {
    throw new UserError(`${name} of the environment is no address over TLS`, {
      remedy: `Set it to an address that begins with https://, or leave it out for ${usual}.`,
    });
  }
  return value.replace(/\/+$/, '');
}
