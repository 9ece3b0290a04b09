import type { AddressInfo } from 'node:net';
import { type Server, createServer } from 'node:http';
import { once } from 'node:events';

/** A stand-in for https://api.osv.dev with the advisories given: it plays querybatch with pages, and records by id. */
export interface OsvStandIn {
  readonly url: string;
  /** Paths that were asked, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

type Advisory = Readonly<Record<string, unknown>> & { readonly id: string };

/** @param known advisories by `ecosystem/name@version` */
export async function osvStandIn(
  known: Readonly<Record<string, readonly Advisory[]>>,
  { failures = 0, status = 503 }: { readonly failures?: number; readonly status?: number } = {},
): Promise<OsvStandIn> {
  const asked: string[] = [];
  let left = failures;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url}`);
      const fails = left > 0;
      left -= 1;
      const answer = fails ? undefined : answerTo(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(fails ? status : answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { code: 5 }));
    });
  });
  const answerTo = (url: string, body: string): unknown => {
    if (url === '/v1/querybatch') {
      const { queries } = JSON.parse(body) as {
        queries: { package: { name: string; ecosystem: string }; version: string; page_token?: string }[];
      };
      return {
        results: queries.map(({ package: { name, ecosystem }, version, page_token: token }) => {
          const all = known[`${ecosystem}/${name}@${version}`] ?? [];
          // One a page, so that the pages are walked.
          const at = Number(token ?? 0);
          const vulns = all.slice(at, at + 1).map(({ id }) => ({ id, modified: '2026-01-01T00:00:00Z' }));
          return {
            ...(vulns.length > 0 && { vulns }),
            ...(at + 1 < all.length && { next_page_token: String(at + 1) }),
          };
        }),
      };
    }
    const id = url.replace('/v1/vulns/', '');
    return Object.values(known)
      .flat()
      .find((one) => one.id === id);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
