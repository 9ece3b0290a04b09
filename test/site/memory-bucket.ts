import { createHash } from 'node:crypto';
import type { Bucket, Condition, Listed } from '../../src/aws/s3.ts';

/** A bucket in memory, with S3's conditional writes: for races that a server cannot be made to lose on demand. */
export function memoryBucket(): Bucket & { readonly objects: Map<string, Buffer> } {
  const objects = new Map<string, Buffer>();
  const etagOf = (body: Buffer): string => createHash('md5').update(body).digest('hex');
  const wanted = (key: string): Buffer => {
    const body = objects.get(key);
    if (!body) throw new Error(`no ${key}`);
    return body;
  };
  return {
    name: 'memory',
    objects,
    list: async (prefix) =>
      new Map(
        [...objects]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, body]): [string, Listed] => [key, { etag: etagOf(body), bytes: body.length }]),
      ),
    read: async (key) => ({ body: wanted(key), etag: etagOf(wanted(key)) }),
    async write(key, body) {
      if (!Buffer.isBuffer(body)) throw new Error('no streams here');
      objects.set(key, body);
      return etagOf(body);
    },
    async writeIf(key, body, _headers, { etag }: Condition) {
      const there = objects.get(key);
      if ((there && etagOf(there)) !== etag) return undefined;
      objects.set(key, body);
      return etagOf(body);
    },
    async copy(from, to) {
      objects.set(to, wanted(from));
      return etagOf(wanted(from));
    },
    async remove(keys) {
      for (const key of keys) objects.delete(key);
      return [];
    },
  };
}
