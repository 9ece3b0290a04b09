import type { AwsCall } from './aws-call.ts';
import { type Edge, openEdge } from './aws-edge.ts';
import type { Moto } from './aws-moto.ts';
import type { Answer, Asked } from './stand-in.ts';
import { isObject, secondsOr } from './values.ts';

/** S3 and CloudFront of the lab: moto's, with what moto lacks. */
export interface Web {
  answer(asked: Asked, call: AwsCall): Promise<Answer>;
  /** How S3 denies the deletion of many objects: each by itself, in an answer of 200. Undefined for any other call. */
  denial(asked: Asked, call: AwsCall): Answer | undefined;
  /** Seconds that invalidations take; null for none. */
  setDelay(value: unknown): void;
  /** `{distribution, port, minTtl}` opens an edge of a distribution on that port; null closes all. */
  setEdge(value: unknown): void;
}

export function openWeb(moto: Moto, region: string): Web {
  const pending = new Map<string, number>();
  let edges: Edge[] = [];
  let delay = 0;

  async function invalidate(asked: Asked): Promise<Answer> {
    const answered = await moto(asked);
    if (answered.status !== 201) return answered;
    const [, id = ''] = /<Id>([^<]+)<\/Id>/.exec(answered.body) ?? [];
    const [, distribution = ''] = /distribution\/([^/]+)/.exec(asked.url.pathname) ?? [];
    const paths = [...asked.body.matchAll(/<Path>([^<]*)<\/Path>/g)].map(([, path = '']) => path);
    pending.set(id, Date.now() + delay * 1000);
    setTimeout(() => edges.forEach((edge) => edge.invalidate(distribution, paths)), delay * 1000);
    return status(answered, id);
  }

  /** moto's invalidations are through at once. */
  function status(answered: Answer, id: string): Answer {
    const word = (pending.get(id) ?? 0) > Date.now() ? 'InProgress' : 'Completed';
    const { bytes: _, ...rest } = answered;
    return { ...rest, body: answered.body.replace(/<Status>[^<]*</, `<Status>${word}<`) };
  }

  return {
    async answer(asked, { action }) {
      if (action === 'cloudfront:CreateInvalidation') return invalidate(asked);
      const answered = await moto(asked);
      if (action !== 'cloudfront:GetInvalidation') return answered;
      return status(answered, asked.url.pathname.split('/').at(-1) ?? '');
    },
    denial({ body, method }, { action }) {
      if (action !== 's3:DeleteObject' || method !== 'POST') return undefined;
      const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
      const errors = keys.map((key) => `<Error><Key>${key}</Key><Code>AccessDenied</Code></Error>`);
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>${errors.join('')}</DeleteResult>`;
      return { status: 200, headers: { 'content-type': 'application/xml' }, body: xml };
    },
    setDelay: (value) => void (delay = secondsOr(0, value, 'invalidation')),
    setEdge(value) {
      if (value !== null && !isObject(value)) throw new Error('edge is null, or {distribution, port, minTtl}');
      if (value === null) edges = edges.flatMap((edge) => (edge.close(), []));
      else {
        const [distribution, port, minTtl] = [
          String(value['distribution']),
          Number(value['port']),
          Number(value['minTtl']),
        ];
        edges.push(openEdge(moto, { distribution, port, minTtl, region }));
      }
    },
  };
}
