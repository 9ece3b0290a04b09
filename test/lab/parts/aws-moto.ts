import type { Answer, Asked } from './stand-in.ts';

/** Asks moto, which plays the AWS services themselves. */
export type Moto = (asked: Pick<Asked, 'method' | 'url' | 'headers' | 'body'>) => Promise<Answer>;

const passed = ['authorization', 'content-type', 'x-amz-target', 'x-amz-date', 'x-amz-security-token'];

/** @param origin such as `http://127.0.0.1:5001` */
export function openMoto(origin: string): Moto {
  return async ({ method, url, headers, body }) => {
    const given = passed.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]] as const] : []));
    const answer = await fetch(new URL(url.pathname + url.search, origin), {
      method,
      headers: Object.fromEntries(given),
      ...(body === '' ? {} : { body }),
      signal: AbortSignal.timeout(20_000),
    });
    const kept = ['content-type', 'x-amzn-errortype', 'x-amzn-requestid'];
    const told = kept.flatMap((name) => [answer.headers.get(name)].flatMap((value) => (value ? [[name, value]] : [])));
    return { status: answer.status, headers: Object.fromEntries(told), body: await answer.text() };
  };
}

/** What moto wants to see of a signature: whose access key it is, and which region is meant. It checks no more. */
export function signedAs(keyId: string, service: string, region: string): string {
  const credential = `${keyId}/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`;
}
