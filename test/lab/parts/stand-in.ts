import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from './values.ts';

/** One request to a stand-in, its body read whole. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came, for services that take files. */
  readonly bytes?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** In place of `body`, for what is no text. */
  readonly bytes?: Buffer;
}

/**
 * What goes wrong with the next requests. Every stand-in knows `reset` (the connection breaks off) and `slow` (answered
 * after `ms`); the others are the service's own.
 */
export interface Fault {
  readonly kind: string;
  /** Part of the request's name, such as `POST /repos/acme/shop/deployments` or `ecr:CreateRepository`; without it any request. */
  readonly on?: string;
  /** How many requests; 1 unless told. */
  readonly times?: number;
  /** Milliseconds that a slow answer takes; 1000 unless told. */
  readonly ms?: number;
}

/** One line of the log that `GET /_lab/requests` gives. */
export interface Logged {
  readonly name: string;
  /** Parsed where it is JSON; left out where it is long. */
  readonly body: unknown;
  /** 0 where the connection was broken off. */
  readonly status: number;
  readonly fault?: string;
}

/** A service that the lab plays itself. */
export interface StandIn {
  /** What faults and the log call a request. */
  name(asked: Asked): string;
  answer(asked: Asked): Answer | Promise<Answer>;
  /** The answers of the service's own faults, by kind. */
  readonly faults: Readonly<Record<string, (asked: Asked) => Answer | Promise<Answer>>>;
  /** What `PUT /_lab/<setting>` sets; an Error tells what is wrong with the value. */
  readonly settings: Readonly<Record<string, (value: unknown) => void>>;
}

const LARGEST_BODY = 64_000_000;
const LONGEST_LOGGED = 64_000;
const LONGEST_LOG = 1000;

/**
 * Serves a stand-in on loopback, with its controls beside it: `PUT /_lab/faults` (a list of {@link Fault}, replacing
 * those before), `GET` and `DELETE /_lab/requests`, `PUT /_lab/<setting>`. A fault of the stand-in itself is a 500 that
 * gives the reason, so that nobody takes it for the service's word.
 */
export function serve(port: number, standIn: StandIn): Server {
  let faults: (Fault & { left: number })[] = [];
  let log: Logged[] = [];

  function control(asked: Asked): Answer {
    const what = asked.url.pathname.slice('/_lab/'.length);
    if (what === 'requests' && asked.method === 'GET') return json(200, log);
    if (what === 'requests' && asked.method === 'DELETE') log = [];
    else if (what === 'faults') faults = readFaults(asked.body, [...Object.keys(standIn.faults), 'reset', 'slow']);
    else if (standIn.settings[what] === undefined) return json(404, { message: `There is no setting ${what}` });
    else standIn.settings[what](JSON.parse(asked.body));
    return json(200, {});
  }

  function nextFault(name: string): Fault | undefined {
    const found = faults.find(({ on, left }) => left > 0 && name.includes(on ?? ''));
    if (found) found.left -= 1;
    return found;
  }

  async function answer(asked: Asked): Promise<Answer | undefined> {
    if (asked.url.pathname.startsWith('/_lab/') && asked.url.pathname !== '/_lab/id-token') return control(asked);
    const name = standIn.name(asked);
    const fault = nextFault(name);
    const answered = await broken(fault, asked);
    const body = asked.body.length > LONGEST_LOGGED ? undefined : parsed(asked.body);
    const entry = { name, body, status: answered?.status ?? 0 };
    log = [...log, { ...entry, ...(fault ? { fault: fault.kind } : {}) }].slice(-LONGEST_LOG);
    return answered;
  }

  async function broken(fault: Fault | undefined, asked: Asked): Promise<Answer | undefined> {
    if (fault?.kind === 'reset') return undefined;
    if (fault?.kind === 'slow') await sleep(fault.ms ?? 1000);
    const own = standIn.faults[fault?.kind ?? ''];
    return own ? own(asked) : standIn.answer(asked);
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answered = await readAsked(request)
      .then(answer)
      .catch((error: unknown) => json(500, { message: `fault of the lab: ${String(error)}` }));
    if (answered === undefined) return void request.socket.destroy();
    response.writeHead(answered.status, { ...answered.headers }).end(answered.bytes ?? answered.body);
  };
  return createServer((request, response) => void handle(request, response)).listen(port, '127.0.0.1');
}

/** An answer of JSON. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Error(`the request is larger than ${LARGEST_BODY} bytes`);
    chunks.push(chunk);
  }
  const { method = 'GET', url = '/', headers } = request;
  const bytes = Buffer.concat(chunks);
  return { method, url: new URL(url, 'http://lab'), headers, body: bytes.toString('utf8'), bytes };
}

function readFaults(body: string, kinds: readonly string[]): (Fault & { left: number })[] {
  const list: unknown = JSON.parse(body);
  if (!Array.isArray(list)) throw new Error('faults are a list');
  return list.map((one: unknown) => {
    if (!isObject(one) || !kinds.some((kind) => kind === one['kind'])) {
      throw new Error(`${JSON.stringify(one)} is no fault; kinds are ${kinds.join(', ')}`);
    }
    const fault = one as unknown as Fault;
    return { ...fault, left: fault.times ?? 1 };
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
