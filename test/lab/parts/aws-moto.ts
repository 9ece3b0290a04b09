import { type IncomingMessage, request as send } from 'node:http';
import type { Answer, Asked } from './stand-in.ts';

/** Asks moto, which plays the AWS services themselves. */
export type Moto = (asked: Pick<Asked, 'method' | 'url' | 'headers' | 'body' | 'bytes'>) => Promise<Answer>;

const PASSED =
  /^(authorization|content-(type|encoding|disposition|language|md5)|cache-control|if-(none-)?match|x-amz-[a-z0-9-]+)$/;
const TOLD =
  /^(content-(type|encoding|disposition|language)|cache-control|etag|last-modified|x-amz-[a-z0-9-]+|x-amzn-(errortype|requestid))$/;
const PATIENCE_MS = 20_000;

/**
 * The body is handed on as it is, packed or not.
 * @param origin such as `http://127.0.0.1:5001`
 */
export function openMoto(origin: string): Moto {
  return async ({ method, url, headers, body, bytes = Buffer.from(body) }) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const given = { ...chosen(headers, PASSED), 'content-length': bytes.length };
      const options = { method, headers: given, signal: AbortSignal.timeout(PATIENCE_MS) };
      send(`${origin}${url.pathname}${url.search}`, options, resolve).once('error', reject).end(bytes);
    });
    const whole = Buffer.concat(await answer.toArray());
    const told = chosen(answer.headers, TOLD);
    return { status: answer.statusCode ?? 502, headers: told, body: whole.toString('utf8'), bytes: whole };
  };
}

function chosen(headers: IncomingMessage['headers'], names: RegExp): Readonly<Record<string, string>> {
  const found = Object.entries(headers).filter(([name]) => names.test(name));
  return Object.fromEntries(found.map(([name, value]) => [name, String(value)]));
}

/** What moto wants to see of a signature: whose access key it is, and which region is meant. It checks no more. */
export function signedAs(keyId: string, service: string, region: string): string {
  const credential = `${keyId}/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`;
}
