import { isIPv4 } from 'node:net';
import { UserError, messageOf } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';

/** How to show who is asking: a password, or an already encoded `user:password` as in a docker config. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
}

/** What the client needs of the host; a test may bring its own. */
export interface RegistryHost {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds for one request; 15 s unless told. */
  readonly timeout?: number;
  /** Tries of one request; 5 unless told. */
  readonly attempts?: number;
}

/** One request to a registry. */
export interface RegistryCall {
  readonly registry: string;
  readonly repository: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Below `/v2/<repository>/`. */
  readonly path: string;
  readonly actions: 'pull' | 'pull,push';
  readonly accept?: string;
  readonly body?: { readonly type: string; readonly content: Uint8Array<ArrayBuffer> };
}

/** An answer, read whole; `body` is empty for HEAD. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer<ArrayBuffer>;
}

/** Asks registries. */
export type RegistryTransport = (call: RegistryCall) => Promise<RegistryAnswer>;

/** The OCI distribution spec has registries accept manifests up to 4 MiB. */
const MAX_BODY = 4 * 1024 * 1024;
const MAX_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 250;

/**
 * A client over the OCI distribution spec's HTTP: answers a Basic or Bearer challenge, repeats 429 and 5xx after the
 * pause that the registry asks for, bounds time and size. Credentials go only to the registry and to the token
 * service that it names over TLS.
 */
export function registryTransport(auth: RegistryAuth | undefined, host: RegistryHost): RegistryTransport {
  const granted = new Map<string, string>();
  return async (call) => {
    const scope = `${call.registry}/${call.repository}:${call.actions}`;
    const first = await request(call, granted.get(scope), host);
    if (first.status !== 401) return first;
    const authorization = await answerChallenge(first.headers.get('www-authenticate') ?? '', call, auth, host);
    if (authorization === undefined) return first;
    granted.set(scope, authorization);
    return request(call, authorization, host);
  };
}

/** `http://` for this machine alone, as docker takes it; `https://` for all others. */
export function originOf(registry: string): string {
  const [, name = ''] = /^(\[[^\]]*\]|[^:]*)/.exec(registry) ?? [];
  const loopback = name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
  return `${loopback ? 'http' : 'https'}://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`;
}

async function request(call: RegistryCall, authorization: string | undefined, host: RegistryHost) {
  return send(`${originOf(call.registry)}/v2/${call.repository}/${call.path}`, call.registry, host, {
    method: call.method,
    headers: {
      'user-agent': 'delivery-actions',
      ...(call.accept === undefined ? {} : { accept: call.accept }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(call.body === undefined ? {} : { 'content-type': call.body.type }),
    },
    ...(call.body === undefined ? {} : { body: call.body.content }),
  });
}

/** One request with its repetitions; `what` names the server in errors. */
async function send(url: string, what: string, host: RegistryHost, init: RequestInit): Promise<RegistryAnswer> {
  const { timeout = 15_000, attempts = 5 } = host;
  for (let tried = 1; ; tried += 1) {
    const limit = AbortSignal.timeout(timeout);
    let pause = FIRST_PAUSE_MS * 2 ** (tried - 1);
    try {
      // Manifests and tokens are answered in place; a redirect would carry the request to a server nobody named.
      const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([limit, host.signal]) });
      const body = await readBounded(response, what);
      const again = response.status === 429 || response.status >= 500;
      if (!again || tried >= attempts) return { status: response.status, headers: response.headers, body };
      pause = retryAfter(response.headers, host.clock) ?? pause;
    } catch (error) {
      host.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      if (tried >= attempts) throw unreachable(what, limit.aborted ? `no answer within ${timeout / 1000} s` : error);
    }
    await host.clock.sleep(Math.min(pause, MAX_PAUSE_MS), host.signal);
  }
}

async function readBounded(response: Response, what: string): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY) {
      throw new UserError(`${what} answered with more than ${MAX_BODY} bytes, which no manifest has.`, {
        remedy: 'Check that the registry in the name of the image is one.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The Authorization header that the challenge asks for; undefined when there is nothing to answer it with. */
async function answerChallenge(
  challenge: string,
  call: RegistryCall,
  auth: RegistryAuth | undefined,
  host: RegistryHost,
): Promise<string | undefined> {
  const basic = auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  if (/^basic\b/i.test(challenge)) return basic;
  if (!/^bearer\b/i.test(challenge)) return undefined;
  // https://distribution.github.io/distribution/spec/auth/token/
  const { realm, service } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  );
  const url = URL.parse(realm ?? '');
  const trusted = url?.protocol === 'https:' || (url !== null && originOf(url.host).startsWith('http:'));
  if (url === null || !trusted) return undefined;
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${call.repository}:${call.actions}`);
  const answer = await send(url.href, url.host, host, basic ? { headers: { authorization: basic } } : {});
  if (answer.status !== 200) return undefined;
  const token = tokenIn(answer.body);
  return token === undefined ? undefined : `Bearer ${token}`;
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const json = JSON.parse(body.toString()) as { token?: unknown; access_token?: unknown } | null;
    const token = json?.token ?? json?.access_token;
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

/** Milliseconds that `Retry-After` (seconds, or a date) asks for. */
function retryAfter(headers: Headers, clock: Clock): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}

function unreachable(what: string, cause: unknown): UserError {
  const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
  return new UserError(`The registry ${what} cannot be reached: ${reason}`, {
    remedy: `Check the name of the image, and that the runner may reach ${what}.`,
    cause,
  });
}
