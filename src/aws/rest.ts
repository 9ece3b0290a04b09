import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { UserError, messageOf } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { CredentialSource } from './credentials.ts';
import { canonicalQuery, sha256, signedHeaders } from './signature.ts';
import { element } from './xml.ts';

/** A body that is read while it is sent, as often as it has to be sent. */
export interface StreamedBody {
  readonly bytes: number;
  /** In hexadecimal digits; AWS refuses a body of another one. */
  readonly sha256: string;
  /** A UserError that it throws ends the call for good. */
  open(): AsyncIterable<Buffer>;
}

/** One call of a REST service of AWS; `path` is percent-encoded. */
export interface RestCall {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | StreamedBody;
}

export interface RestAnswer {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What AWS refused, or why it gave no answer (`status` 0). `name` is AWS's own code, such as `SlowDown`. */
export class AwsError extends Error {
  readonly status: number;
  readonly headers: RestAnswer['headers'];
  constructor(name: string, message: string, status: number, headers: RestAnswer['headers'] = {}) {
    super(message);
    this.name = name;
    this.status = status;
    this.headers = headers;
  }
}

/** Where a service is, and what its calls are signed for. */
export interface RestService {
  readonly name: 's3' | 'cloudfront' | 'rds' | 'secretsmanager' | 'elasticloadbalancing';
  /** `https://host`. */
  readonly endpoint: string;
  readonly region: string;
}

export interface RestOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  /** Ends every call when it aborts. */
  readonly signal: AbortSignal;
  /** Environment whose HTTPS_PROXY, HTTP_PROXY and NO_PROXY count. */
  readonly proxyEnv: Readonly<Record<string, string | undefined>>;
}

/** Calls a service. @throws AwsError for every answer outside 2xx */
export type Rest = (call: RestCall) => Promise<RestAnswer>;

/** Requests in flight: S3 takes 3,500 writes a second on a prefix, and a runner has few cores to sign and compress. */
export const IN_FLIGHT = 32;
const ATTEMPTS = 6;
const BACKOFF_MS = 200;
const IDLE_MS = 30_000;
const LARGEST_ANSWER = 64 * 1024 * 1024;
/** Codes that mean "later", whatever their status (S3's and CloudFront's lists of error codes). */
const PASSING =
  /^(SlowDown|InternalError|ServiceUnavailable|RequestTimeout|Throttling\w*|OperationAborted|ConditionalRequestConflict)$/;

/**
 * Opens keep-alive connections to a service, with few lines where the SDK's client has megabytes. What passes (429, 5xx,
 * resets, silence) is tried again with growing, scattered pauses; every call made here does no harm when seen twice.
 */
export function openRest(service: RestService, { credentials, clock, signal, proxyEnv }: RestOptions): Rest {
  const base = new URL(service.endpoint);
  const secure = base.protocol === 'https:';
  const settings = { keepAlive: true, maxSockets: IN_FLIGHT, timeout: IDLE_MS, proxyEnv: { ...proxyEnv } };
  const agent = secure ? new Agent(settings) : new PlainAgent(settings);

  async function once({ method, path, query = {}, headers = {}, body }: RestCall): Promise<RestAnswer> {
    const { payload, bytes, chunks } = bodyOf(body);
    const signed = signedHeaders(
      { method, host: base.host, path, query, headers, payload, ...scope, now: clock.now() },
      await credentials(),
    );
    const search = canonicalQuery(query);
    const request = (secure ? tlsRequest : plainRequest)({
      method,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      path: search === '' ? path : `${path}?${search}`,
      headers: {
        ...signed,
        'user-agent': 'delivery-actions',
        ...(body === undefined ? {} : { 'content-length': bytes }),
      },
      agent,
      timeout: IDLE_MS,
      signal,
    });
    request.on('timeout', () => request.destroy(new Error(`no answer for ${IDLE_MS / 1000} s`)));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    // A refusal may come before the body is sent; then that answer counts, and not the broken pipe.
    const sent = pipeline(chunks, request);
    const answer = await Promise.race([answered, sent.then(() => answered)]).catch(async (error: unknown) => {
      request.destroy();
      await sent.catch(() => undefined);
      throw error;
    });
    sent.catch(() => undefined);
    const whole = { headers: answer.headers as RestAnswer['headers'], body: await readAll(answer) };
    const status = answer.statusCode ?? 0;
    // S3 answers 200 before it copies, and may tell a failure in the body then (API reference of CopyObject).
    const failed =
      status < 200 || status > 299 || /^(<\?xml[^>]*>\s*)?<Error>/.test(whole.body.toString('latin1', 0, 200));
    if (failed) throw errorOf(status, whole);
    return whole;
  }
  const scope = { service: service.name, region: service.region };

  return async (call) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(call);
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error) || attempt === ATTEMPTS) throw inWords(error, base.host);
        await clock.sleep(BACKOFF_MS * 2 ** attempt * (0.5 + Math.random()), signal);
      }
    }
  };
}

function bodyOf(body: RestCall['body']): { payload: string; bytes: number; chunks: AsyncIterable<Buffer> | Buffer[] } {
  if (typeof body === 'object' && 'open' in body)
    return { payload: body.sha256, bytes: body.bytes, chunks: body.open() };
  const data = Buffer.from(body ?? '');
  return { payload: sha256(data), bytes: data.length, chunks: data.length === 0 ? [] : [data] };
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error(`the answer is larger than ${LARGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function errorOf(status: number, { headers, body }: RestAnswer): AwsError {
  const text = body.toString('utf8');
  const told = text.startsWith('{') ? jsonError(text) : undefined;
  if (told !== undefined) return new AwsError(told.code, told.message, status, headers);
  const code = element(text, 'Code') ?? (status === 404 ? 'NotFound' : `HTTP ${status}`);
  return new AwsError(code, element(text, 'Message') ?? (text.slice(0, 300) || `HTTP ${status}`), status, headers);
}

/** A refusal of the JSON protocol: `{"__type":"com.amazon…#ResourceNotFoundException","message":"…"}`. */
function jsonError(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const { __type: type, message, Message } = JSON.parse(text) as Record<string, unknown>;
    if (typeof type !== 'string') return undefined;
    const words = [message, Message].find((words) => typeof words === 'string');
    return { code: type.replace(/^.*#/, ''), message: words ?? type };
  } catch {
    return undefined;
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof UserError) return false;
  if (!(error instanceof AwsError)) return true;
  return error.status === 429 || error.status >= 500 || PASSING.test(error.name);
}

function inWords(error: unknown, host: string): unknown {
  if (error instanceof AwsError || error instanceof UserError) return error;
  return new AwsError('Unreachable', `${host} does not answer: ${messageOf(error)}`, 0);
}
