import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A stand-in for GitHub's artifact service (version 4) and the block storage behind it. It takes what actions/toolkit
 * sends: an artifact is whole once its blocks are listed and size and hash agree.
 */
export interface ArtifactService {
  readonly env: Readonly<Record<'ACTIONS_RESULTS_URL' | 'ACTIONS_RUNTIME_TOKEN', string>>;
  /** Finished artifacts by name. */
  readonly kept: ReadonlyMap<string, Buffer>;
  close(): Promise<void>;
}

const claims = Buffer.from(JSON.stringify({ scp: 'Actions.ExampleScope Actions.Results:run-1:job-2' })).toString(
  'base64url',
);

export async function artifactService({ refuses = 0 }: { readonly refuses?: number } = {}): Promise<ArtifactService> {
  const kept = new Map<string, Buffer>();
  const blocks = new Map<string, Buffer>();
  const whole = new Map<string, Buffer>();
  let left = refuses;

  const answer = (url: URL, body: Buffer, authorization = ''): readonly [number, object] => {
    if (url.pathname.startsWith('/storage/')) {
      if (left > 0) {
        left -= 1;
        return [503, {}];
      }
      const name = decodeURIComponent(url.pathname.slice('/storage/'.length));
      if (url.searchParams.get('sig') !== 'secret') return [403, {}];
      if (url.searchParams.get('comp') === 'block') blocks.set(`${name} ${url.searchParams.get('blockid')}`, body);
      else {
        const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => id);
        whole.set(name, Buffer.concat(ids.map((id) => blocks.get(`${name} ${id}`) ?? Buffer.alloc(0))));
      }
      return [201, {}];
    }
    const asked = JSON.parse(body.toString()) as Record<string, string>;
    const { name = '', workflow_run_backend_id: run, workflow_job_run_backend_id: job, size, hash } = asked;
    if (!authorization.startsWith('Bearer ') || run !== 'run-1' || job !== 'job-2') return [401, { msg: 'not yours' }];
    if (url.pathname.endsWith('/CreateArtifact')) {
      if (kept.has(name)) return [409, { msg: 'an artifact with this name already exists on the workflow run' }];
      return [200, { ok: true, signed_upload_url: `${base}/storage/${encodeURIComponent(name)}?sig=secret` }];
    }
    const content = whole.get(name) ?? Buffer.alloc(0);
    const agrees =
      String(content.length) === size && hash === `sha256:${createHash('sha256').update(content).digest('hex')}`;
    if (!agrees) return [400, { msg: 'size or hash differ' }];
    kept.set(name, content);
    return [200, { ok: true, artifact_id: '77' }];
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const [status, value] = answer(
        new URL(request.url ?? '', base),
        Buffer.concat(chunks),
        request.headers.authorization,
      );
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { ACTIONS_RESULTS_URL: `${base}/`, ACTIONS_RUNTIME_TOKEN: `a.${claims}.b` },
    kept,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
