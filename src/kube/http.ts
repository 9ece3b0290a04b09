import { Agent as PlainAgent, type IncomingMessage, type RequestOptions, request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../action/errors.ts';
import { KubeError } from './kube.ts';
import { isTransient, retryDelay, statusError } from './status.ts';

/** Where an API server is and how to show who is asking. */
export interface ServerOptions {
  /** `https://host:port`, with a path where the server stands behind one. */
  readonly server: string;
  /** PEM of the CA that signed the server's certificate; the system's CAs without it. */
  readonly ca?: string;
  /** Takes any certificate: for kubeconfig files that say so, never by default. */
  readonly insecure?: boolean;
  /** Name to check the certificate against, when it is not the host's. */
  readonly serverName?: string;
  /** A bearer token; asked for each request, and once again with `fresh` after a 401. */
  readonly token?: (options: { readonly fresh: boolean }) => Promise<string>;
  /** PEM of a client certificate and its key. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Ends every call when it aborts. */
  readonly signal?: AbortSignal;
  /** Milliseconds for one attempt; default 60 s, as the server itself gives up after that. */
  readonly timeout?: number;
  /** Attempts for one call; default 5. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt, doubled each time after; default 200. */
  readonly backoff?: number;
  /** Bytes that an answer may have; default 64 MiB. */
  readonly maxBytes?: number;
  /** Environment whose HTTPS_PROXY, HTTP_PROXY and NO_PROXY count. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
}

/** One request; `path` holds the query too. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** It does no harm when the server sees it twice: such calls are tried again after 5xx and resets. */
  readonly idempotent: boolean;
}

/** Requests to one API server. Every answer outside 2xx rejects with {@link KubeError}. */
export interface Transport {
  /** The body of the answer. */
  send(call: Call): Promise<string>;
  /** The lines of a streamed answer as they come, until it ends or `signal` aborts. */
  lines(path: string, signal: AbortSignal): AsyncIterable<string>;
}

/** Requests in flight; the API server's priority and fairness serves an ordinary user about as many. */
const MAX_SOCKETS = 32;
/** The server sends a bookmark about once a minute and ends a watch itself after the `timeoutSeconds` it was given. */
const STREAM_IDLE_MS = 330_000;
const CONNECT_MS = 10_000;
/** An object has at most 1.5 MiB in etcd; as JSON it may be a few times larger. */
const MAX_LINE = 16 * 1024 * 1024;

/**
 * Opens keep-alive connections to an API server. 429 is obeyed with its Retry-After; 5xx, resets and timeouts of
 * idempotent calls are tried again with growing, bounded pauses; a 401 asks once for a fresh token. Redirects are not
 * followed, so a token goes to this server alone.
 */
export function openTransport(options: ServerOptions): Transport {
  const base = new URL(options.server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const { attempts = 5, backoff = 200, timeout = 60_000, maxBytes = 64 * 1024 * 1024 } = options;
  const agents = { send: openAgent(base, options, MAX_SOCKETS), stream: openAgent(base, options, 256) };

  async function ask(call: Call, token: string | undefined, signal: AbortSignal | undefined, stream: boolean) {
    const body = call.body === undefined ? undefined : Buffer.from(call.body);
    return open(base.protocol === 'http:' ? plainRequest : tlsRequest, body, {
      method: call.method,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      path: prefix + call.path,
      agent: stream ? agents.stream : agents.send,
      timeout: stream ? STREAM_IDLE_MS : timeout,
      headers: {
        accept: call.accept ?? 'application/json',
        'user-agent': 'delivery-actions',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body ? { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length } : {}),
      },
      ...(signal ? { signal } : {}),
    });
  }

  /** One attempt, with a second one when the server turned the token away. */
  async function attempt<T>(
    call: Call,
    use: (answer: IncomingMessage) => Promise<T>,
    signal?: AbortSignal,
    stream = false,
  ) {
    for (const fresh of [false, true]) {
      const token = await options.token?.({ fresh });
      const answer = await ask(call, token, signal, stream);
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) return use(answer);
      const refused = statusError(status, answer.headers, await readBody(answer, maxBytes));
      if (status !== 401 || !options.token || fresh) throw refused;
    }
    throw new Error('unreachable');
  }

  async function send(call: Call): Promise<string> {
    for (let tried = 1; ; tried += 1) {
      const limit = AbortSignal.timeout(timeout);
      const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
      try {
        return await attempt(call, (answer) => readBody(answer, maxBytes), signal);
      } catch (error) {
        options.signal?.throwIfAborted();
        const failure = limit.aborted
          ? noAnswer(base, new Error(`no answer within ${timeout / 1000} s`))
          : asKubeError(error, base);
        if (tried >= attempts || !isTransient(failure, call.idempotent)) throw failure;
        await pause(retryDelay(failure, tried, backoff), options.signal);
      }
    }
  }

  async function* lines(path: string, signal: AbortSignal): AsyncIterable<string> {
    const both = options.signal ? AbortSignal.any([signal, options.signal]) : signal;
    const call: Call = { method: 'GET', path, idempotent: true };
    try {
      const answer = await attempt(call, (answer) => Promise.resolve(answer), both, true);
      yield* boundedLines(answer);
    } catch (error) {
      if (both.aborted) return;
      throw asKubeError(error, base);
    }
  }

  return { send, lines };
}

async function open(
  request: typeof plainRequest,
  body: Buffer | undefined,
  options: RequestOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(options, resolve);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('the connection fell silent')));
    sent.on('socket', (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(
        () => sent.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)),
        CONNECT_MS,
      );
      const stop = (): void => clearTimeout(timer);
      socket.once('connect', stop).once('close', stop).once('error', stop);
    });
    sent.end(body);
  });
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      answer.destroy();
      throw new KubeError(`the API server's answer is larger than ${maxBytes} bytes`, {
        status: 0,
        reason: 'TooLarge',
      });
    }
    chunks.push(chunk);
  }
  if (!answer.complete) throw new Error('the connection broke off within the answer');
  return Buffer.concat(chunks).toString('utf8');
}

async function* boundedLines(answer: IncomingMessage): AsyncIterable<string> {
  let rest: string[] = [];
  let size = 0;
  answer.setEncoding('utf8');
  for await (const chunk of answer as AsyncIterable<string>) {
    const parts = chunk.split('\n');
    for (const [i, part] of parts.entries()) {
      rest.push(part);
      size += part.length;
      if (size > MAX_LINE)
        throw new KubeError('the API server sent an endless line', { status: 0, reason: 'TooLarge' });
      if (i === parts.length - 1) break;
      if (size > 0) yield rest.join('');
      [rest, size] = [[], 0];
    }
  }
}

function openAgent(base: URL, options: ServerOptions, maxSockets: number): PlainAgent {
  const common = {
    keepAlive: true,
    keepAliveMsecs: 15_000,
    maxSockets,
    ...(options.proxyEnv ? { proxyEnv: { ...options.proxyEnv } } : {}),
  };
  if (base.protocol === 'http:') return new PlainAgent(common);
  return new Agent({
    ...common,
    rejectUnauthorized: options.insecure !== true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    ...(options.clientCertificate
      ? { cert: options.clientCertificate.certificate, key: options.clientCertificate.key }
      : {}),
  });
}

function asKubeError(error: unknown, base: URL): KubeError {
  return error instanceof KubeError ? error : noAnswer(base, error);
}

function noAnswer(base: URL, cause: unknown): KubeError {
  return new KubeError(`no answer from ${base.host}: ${messageOf(cause)}`, { status: 0, reason: 'Unreachable', cause });
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  });
}
