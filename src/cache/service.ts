import { hash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';

/** An entry that was found. */
export interface Entry {
  /** The key that it was saved under. */
  readonly key: string;
  /** Gives its content to who has it, so it is never shown. */
  readonly url: string;
}

/**
 * GitHub's cache of a repository, as a job may use it: it reads the entries of its own branch and of the default branch,
 * and writes those of its own branch. An entry never changes. Every method throws {@link CacheFault} where the service
 * does not do its part, which is never a reason for a build to fail.
 */
export interface CacheService {
  /** The entry of this key, else the newest whose key begins with one of the prefixes, in their order. */
  find(key: string, prefixes?: readonly string[]): Promise<Entry | undefined>;
  /** The content of an entry, as it comes; it breaks off with a fault where nothing comes for a while. */
  read(entry: Entry, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Saves bytes, or a file by its path; `false` where there is such an entry already. */
  save(key: string, content: Uint8Array | string, signal?: AbortSignal): Promise<boolean>;
}

/** What the cache could not do, in words. */
export class CacheFault extends Error {
  override readonly name = 'CacheFault';
}

type CacheHost = Pick<Host, 'env' | 'signal'>;

/** How long is waited, in milliseconds. */
export interface CacheLimits {
  /** For an answer of the service; a try is followed by one more. */
  readonly answer: number;
  /** For more of a download. */
  readonly silence: number;
  /** For a whole upload. */
  readonly upload: number;
}

const LIMITS: CacheLimits = { answer: 3000, silence: 10_000, upload: 5 * 60_000 };
const SERVICE = 'twirp/github.actions.results.api.v1.CacheService';
/** Entries of another version are not seen: raised when content is written in another form. */
const VERSION = hash('sha256', 'delivery-actions 1');
const MAX_ANSWER = 64 * 1024;

/**
 * The cache of this job, or why there is none.
 *
 * The service is spoken to as GitHub's @actions/cache 6 does (Twirp over JSON, then Azure Blob Storage by a signed
 * URL), but not by it: that client takes longer to load than a look-up does, repeats a failing one for half a minute,
 * keeps an archive on disk before it unpacks it, and unpacks to wherever the archive says. The lab's tests run both
 * against the same service.
 */
export function openCache(host: CacheHost, limits: CacheLimits = LIMITS): CacheService | string {
  const { env } = host;
  const [url, token] = [env['ACTIONS_RESULTS_URL'], env['ACTIONS_RUNTIME_TOKEN']];
  if (!url || !token || !env['ACTIONS_CACHE_SERVICE_V2']) return 'this runner has no cache service';
  const mode = env['ACTIONS_CACHE_MODE']?.trim().toLowerCase() ?? '';
  if (mode === 'none') return 'the cache is switched off for this job';
  let down: CacheFault | undefined;

  /** A service that failed twice is asked no more, so that an outage costs its wait only once. */
  async function ask(method: string, request: object): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (down !== undefined) throw down;
    for (let tries = 1; ; tries += 1) {
      try {
        return await askOnce(method, request);
      } catch (error) {
        host.signal.throwIfAborted();
        if (error instanceof CacheFault) throw error;
        if (tries < 2) continue;
        down = new CacheFault(`the cache service does not answer: ${messageOf(error)}`, { cause: error });
        throw down;
      }
    }
  }

  async function askOnce(method: string, request: object): Promise<Readonly<Record<string, unknown>> | undefined> {
    const response = await fetch(new URL(`/${SERVICE}/${method}`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...request, version: VERSION }),
      signal: AbortSignal.any([host.signal, AbortSignal.timeout(limits.answer)]),
    });
    const text = await response.text();
    if (response.status >= 500) throw new Error(`status ${response.status}`);
    const answer: unknown = text.length > MAX_ANSWER ? undefined : JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) throw new CacheFault('the cache service answers nonsense');
    if (response.status === 409) return undefined;
    if (response.ok) return answer as Readonly<Record<string, unknown>>;
    const { msg = '' } = answer as Readonly<Record<string, unknown>>;
    throw new CacheFault(`the cache service refuses: ${response.status} ${String(msg).slice(0, 200)}`);
  }

  return {
    async find(key, prefixes = []) {
      if (mode === 'write-only') return undefined;
      const answer = await ask('GetCacheEntryDownloadURL', { key, restore_keys: prefixes });
      const [found, signed] = [answer?.['matched_key'], answer?.['signed_download_url']];
      if (answer?.['ok'] !== true || typeof found !== 'string' || typeof signed !== 'string') return undefined;
      // The service takes the key for a prefix as well.
      const wanted = found === key || prefixes.some((prefix) => found.startsWith(prefix));
      return wanted ? { key: found, url: signed } : undefined;
    },
    async *read({ url: signed }, signal = host.signal) {
      const silence = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      // Only the service's own silence counts: whoever reads may take its time over a chunk.
      const soon = async <T>(next: Promise<T>): Promise<T> => {
        timer = setTimeout(() => silence.abort(new Error('nothing comes any more')), limits.silence);
        return next.finally(() => clearTimeout(timer));
      };
      try {
        const response = await soon(fetch(signed, { signal: AbortSignal.any([signal, silence.signal]) }));
        if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
        const chunks = response.body[Symbol.asyncIterator]();
        for (let next = await soon(chunks.next()); next.done !== true; next = await soon(chunks.next())) {
          yield next.value;
        }
      } catch (error) {
        host.signal.throwIfAborted();
        throw new CacheFault(`a cache entry cannot be read: ${messageOf(error)}`, { cause: error });
      } finally {
        silence.abort();
      }
    },
    async save(key, content, signal = host.signal) {
      if (mode === 'read') throw new CacheFault('this job may only read the cache');
      const body = typeof content === 'string' ? await openAsBlob(content) : new Blob([new Uint8Array(content)]);
      const entry = await ask('CreateCacheEntry', { key });
      if (entry === undefined) return false;
      const signed = entry['signed_upload_url'];
      if (entry['ok'] !== true || typeof signed !== 'string') {
        throw new CacheFault(`the cache takes nothing from this job: ${String(entry['message']).slice(0, 200)}`);
      }
      try {
        const response = await fetch(signed, {
          method: 'PUT',
          headers: { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' },
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(limits.upload)]),
        });
        if (!response.ok) throw new Error(`status ${response.status}`);
      } catch (error) {
        host.signal.throwIfAborted();
        throw new CacheFault(`a cache entry cannot be uploaded: ${messageOf(error)}`, { cause: error });
      }
      const end = await ask('FinalizeCacheEntryUpload', { key, size_bytes: String(body.size) });
      if (end?.['ok'] !== true) throw new CacheFault('the cache service did not take the upload');
      return true;
    },
  };
}
