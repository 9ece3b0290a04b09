import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type Moto, signedAs } from './aws-moto.ts';
import type { Answer } from './stand-in.ts';

/** An edge of a distribution. */
export interface Edge {
  /** Forgets what it keeps under these paths, where the distribution is its own. */
  invalidate(distribution: string, paths: readonly string[]): void;
  close(): void;
}

export interface EdgeOptions {
  readonly distribution: string;
  readonly port: number;
  /** Seconds for which everything is kept, whatever its Cache-Control says: the minimum TTL of a cache policy. */
  readonly minTtl: number;
  readonly region: string;
}

/**
 * Stands in for CloudFront, which cannot run here: it reads the distribution's configuration from moto and answers as
 * the developer guide says an edge does. Of all its rules it knows the default root object, the origin path, custom
 * error responses, Cache-Control with a minimum TTL, and invalidations; every path goes to the first origin.
 */
export function openEdge(moto: Moto, { distribution, port, minTtl, region }: EdgeOptions): Edge {
  const kept = new Map<string, { answer: Answer; until: number }>();

  async function configuration() {
    const url = new URL(`http://cloudfront/2020-05-31/distribution/${distribution}`);
    const headers = { authorization: signedAs('AKIALAB', 'cloudfront', 'us-east-1') };
    const { body } = await moto({ method: 'GET', url, headers, body: '' });
    const told = (name: string, within = body): string =>
      new RegExp(`<${name}>([^<]*)</${name}>`).exec(within)?.[1] ?? '';
    const [, origin = ''] = /<Origin>([^]*?)<\/Origin>/.exec(body) ?? [];
    const errors = [...body.matchAll(/<CustomErrorResponse>([^]*?)<\/CustomErrorResponse>/g)];
    return {
      bucket: told('DomainName', origin).split('.s3')[0] ?? '',
      originPath: told('OriginPath', origin),
      root: told('DefaultRootObject'),
      fallbacks: errors.map(([, one = '']) => ({
        on: Number(told('ErrorCode', one)),
        page: told('ResponsePagePath', one),
        status: Number(told('ResponseCode', one)),
      })),
    };
  }

  async function fromOrigin(pathname: string): Promise<Answer> {
    const { bucket, originPath, root, fallbacks } = await configuration();
    const ask = async (path: string): Promise<Answer> => {
      const url = new URL(`http://s3/${bucket}${originPath}${path === '/' ? `/${root}` : path}`);
      return moto({ method: 'GET', url, headers: { authorization: signedAs('AKIALAB', 's3', region) }, body: '' });
    };
    const answered = await ask(pathname);
    const fallback = fallbacks.find(({ on }) => on === answered.status);
    return fallback === undefined ? answered : { ...(await ask(fallback.page)), status: fallback.status };
  }

  async function answer(pathname: string): Promise<Answer & { readonly hit: boolean }> {
    const known = kept.get(pathname);
    if (known && known.until > Date.now()) return { ...known.answer, hit: true };
    const answered = await fromOrigin(pathname);
    const control = answered.headers?.['cache-control'] ?? '';
    const age = /no-cache|no-store/.test(control) ? 0 : Number(/max-age=(\d+)/.exec(control)?.[1] ?? 86_400);
    if (answered.status === 200)
      kept.set(pathname, { answer: answered, until: Date.now() + Math.max(age, minTtl) * 1000 });
    return { ...answered, hit: false };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, headers, body, bytes, hit } = await answer(new URL(request.url ?? '/', 'http://edge').pathname);
    const cache = `${hit ? 'Hit' : 'Miss'} from the stand-in for CloudFront`;
    response.writeHead(status, { ...headers, 'x-cache': cache }).end(bytes ?? body);
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) =>
      response.writeHead(502).end(`fault of the lab: ${String(error)}`),
    );
  }).listen(port, '127.0.0.1');

  return {
    invalidate(of, paths) {
      if (of !== distribution) return;
      for (const path of paths) {
        for (const known of kept.keys()) {
          if (path.endsWith('*') ? known.startsWith(path.slice(0, -1)) : known === path) kept.delete(known);
        }
      }
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
