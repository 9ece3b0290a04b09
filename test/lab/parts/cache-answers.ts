import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { scopesOf } from './cache-token.ts';
import { type Answer, type Asked, json, serve } from './stand-in.ts';
import { isObject } from './values.ts';

interface Entry {
  readonly key: string;
  readonly version: string;
  readonly scope: string;
  /** Name of its file, and of its blob. */
  readonly blob: string;
  /** Nobody finds it before. */
  finished: boolean;
}

const READ = 1;
const WRITE = 2;
const SERVICE = '/twirp/github.actions.results.api.v1.CacheService/';
const EXISTS = 'cache entry with the same key, version, and scope already exists';

/**
 * A stand-in for GitHub's cache service, as its client @actions/cache 6 speaks to it: Twirp over JSON for entries, and
 * the part of Azure Blob Storage that the client uses for their content, kept as files in `folder`. An entry never
 * changes; a job sees those of its own branch and of the others that its token lets it read.
 */
export function cacheServer(port: number, folder: string, secret: string): Server {
  const answer = cacheAnswers(folder, secret, `http://127.0.0.1:${port}`);
  return serve(port, {
    name: ({ method, url }) => `${method} ${url.pathname.replace(/(?<=^\/blobs\/cache\/).*/, '')}`,
    answer,
    faults: {
      unavailable: () => json(503, { code: 'unavailable', msg: 'try again' }),
      'rate-limit': () => json(429, { code: 'resource_exhausted', msg: 'slow down' }, { 'retry-after': '60' }),
      // A download that breaks off half way.
      cut: (asked) => ({ ...answer(asked), cut: true }),
      // What comes over the wire is not what was saved.
      garbled: (asked) => {
        const { bytes = Buffer.alloc(0), ...rest } = answer(asked);
        return { ...rest, bytes: Buffer.from(bytes.map((byte, at) => (at % 300 === 299 ? byte ^ 1 : byte))) };
      },
    },
    settings: {},
    largestBody: 4 * 1024 ** 3,
  });
}

function cacheAnswers(folder: string, secret: string, origin: string): (asked: Asked) => Answer {
  mkdirSync(folder, { recursive: true });
  const entries: Entry[] = [];
  const blocks = new Map<string, Buffer>();
  const file = (blob: string): string => join(folder, blob);
  const urlOf = (blob: string): string => `${origin}/blobs/cache/${blob}?sig=${randomUUID()}`;

  return (asked) => {
    const [, blob] = /^\/blobs\/cache\/([\w-]+)$/.exec(asked.url.pathname) ?? [];
    if (blob !== undefined) return asked.method === 'PUT' ? put(blob, asked) : get(blob, asked);
    const { headers, url, body } = asked;
    const scopes = scopesOf(secret, (headers.authorization ?? '').replace(/^Bearer /, ''));
    if (scopes === undefined) return refusal(401, 'unauthenticated', 'invalid token');
    const sent: unknown = JSON.parse(body);
    const given = isObject(sent) ? sent : {};
    const [key, version] = [String(given['key']), String(given['version'])];
    const writable = scopes.find(({ Permission }) => (Permission & WRITE) !== 0)?.Scope;
    const own = (one: Entry): boolean => one.key === key && one.version === version && one.scope === writable;

    switch (url.pathname.slice(SERVICE.length)) {
      case 'CreateCacheEntry': {
        if (writable === undefined)
          return json(200, { ok: false, message: 'cache write denied: the token only reads' });
        if (entries.some(own)) return refusal(409, 'already_exists', EXISTS);
        const entry = { key, version, scope: writable, blob: randomUUID(), finished: false };
        entries.push(entry);
        return json(200, { ok: true, signed_upload_url: urlOf(entry.blob) });
      }
      case 'FinalizeCacheEntryUpload': {
        const entry = entries.find(own);
        const size = entry && sizeOf(file(entry.blob));
        if (entry === undefined || size === undefined) return refusal(404, 'not_found', 'no such upload');
        if (size !== Number(given['size_bytes'])) return refusal(400, 'invalid_argument', `it has ${size} bytes`);
        entry.finished = true;
        return json(200, { ok: true, entry_id: String(entries.indexOf(entry) + 1) });
      }
      case 'GetCacheEntryDownloadURL': {
        const wanted = [key, ...(Array.isArray(given['restore_keys']) ? given['restore_keys'].map(String) : [])];
        for (const { Scope, Permission } of scopes) {
          if ((Permission & READ) === 0) continue;
          const seen = entries.filter((one) => one.finished && one.version === version && one.scope === Scope);
          for (const one of wanted) {
            // The newest by prefix; by GitHub's service the first key counts as a prefix too.
            const found =
              seen.find((entry) => entry.key === one) ?? seen.findLast((entry) => entry.key.startsWith(one));
            if (found) return json(200, { ok: true, signed_download_url: urlOf(found.blob), matched_key: found.key });
          }
        }
        return json(200, { ok: false });
      }
      default:
        return refusal(404, 'bad_route', `no handler for path ${url.pathname}`);
    }
  };

  /** Put Blob, Put Block and Put Block List of Azure Blob Storage. */
  function put(blob: string, { url, body, bytes }: Asked): Answer {
    const created = { status: 201, headers: { 'x-ms-request-id': randomUUID(), etag: '"1"' }, body: '' };
    const content = bytes ?? Buffer.from(body);
    if (!entries.some((one) => one.blob === blob && !one.finished)) return { status: 404, body: '' };
    if (url.searchParams.get('comp') === 'block') {
      blocks.set(`${blob} ${url.searchParams.get('blockid')}`, content);
      return created;
    }
    if (url.searchParams.get('comp') !== 'blocklist') {
      writeFileSync(file(blob), content);
      return created;
    }
    const ids = [...content.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => `${blob} ${id}`);
    const parts = ids.map((id) => blocks.get(id));
    if (parts.some((part) => part === undefined)) return { status: 400, body: 'InvalidBlockList' };
    writeFileSync(file(blob), Buffer.concat(parts.filter((part) => part !== undefined)));
    for (const id of ids) blocks.delete(id);
    return created;
  }

  function get(blob: string, { headers, method }: Asked): Answer {
    if (!entries.some((one) => one.blob === blob && one.finished)) return { status: 404, body: '' };
    const content = readFileSync(file(blob));
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(String(headers['x-ms-range'] ?? headers.range ?? '')) ?? [];
    const shown = from === undefined ? content : content.subarray(Number(from), to ? Number(to) + 1 : undefined);
    return {
      status: from === undefined ? 200 : 206,
      headers: {
        'content-length': String(shown.length),
        'content-type': 'application/octet-stream',
        ...(from !== undefined && {
          'content-range': `bytes ${from}-${Number(from) + shown.length - 1}/${content.length}`,
        }),
        'x-ms-blob-type': 'BlockBlob',
        etag: '"1"',
      },
      body: '',
      ...(method !== 'HEAD' && { bytes: shown }),
    };
  }
}

function sizeOf(file: string): number | undefined {
  try {
    return readFileSync(file).length;
  } catch {
    return undefined;
  }
}

/** A Twirp error, see https://twitchtv.github.io/twirp/docs/errors.html. */
function refusal(status: number, code: string, msg: string): Answer {
  return json(status, { code, msg });
}
