import { createHash } from 'node:crypto';
import { Agent as PlainAgent, type IncomingMessage, get as plainGet } from 'node:http';
import { Agent, get as tlsGet } from 'node:https';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { messageOf } from '../action/errors.ts';

/** What a visitor of an address gets. */
export interface Visited {
  readonly status: number;
  /** SHA-256 of the page, unpacked, in hexadecimal digits. */
  readonly sha256: string;
}

const TIMEOUT_MS = 10_000;
const LARGEST = 16 * 1024 * 1024;
const REDIRECTS = 3;

/**
 * Fetches a page as a browser would, and says what it holds.
 * @param env environment whose HTTPS_PROXY, HTTP_PROXY and NO_PROXY count
 * @returns why there is none, where there is none
 */
export async function visit(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Visited | string> {
  try {
    return await fetched(address, env, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]), REDIRECTS);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

async function fetched(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  left: number,
): Promise<Visited> {
  const secure = address.startsWith('https:');
  const agent = new (secure ? Agent : PlainAgent)({ proxyEnv: { ...env } });
  const headers = { accept: 'text/html,*/*', 'accept-encoding': 'br, gzip', 'user-agent': 'delivery-actions' };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    (secure ? tlsGet : plainGet)(address, { agent, headers, signal }, resolve).once('error', reject);
  });
  const { statusCode = 0 } = answer;
  const { location } = answer.headers;
  if (statusCode >= 300 && statusCode < 400 && location !== undefined && left > 0) {
    answer.destroy();
    return fetched(new URL(location, address).href, env, signal, left - 1);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST) throw new Error(`the page is larger than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  const page = unpacked(Buffer.concat(chunks), answer.headers['content-encoding']);
  return { status: statusCode, sha256: createHash('sha256').update(page).digest('hex') };
}

function unpacked(body: Buffer, encoding = ''): Buffer {
  const limit = { maxOutputLength: LARGEST };
  if (encoding === 'br') return brotliDecompressSync(body, limit);
  return encoding === 'gzip' ? gunzipSync(body, limit) : body;
}
