import type { Asked } from './stand-in.ts';

interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** What a request to S3, with the bucket in its path, needs to be allowed (API reference of each action). */
export function s3Call({ method, url, headers, body }: Asked): Permission & { readonly also?: readonly Permission[] } {
  const [bucket = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const key = rest.join('/');
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  if (key === '') {
    if (method === 'POST' && url.searchParams.has('delete')) {
      const [, first = '*'] = /<Key>([^<]*)<\/Key>/.exec(body) ?? [];
      return { action: 's3:DeleteObject', resource: `${resource}/${first}` };
    }
    return { action: method === 'PUT' ? 's3:CreateBucket' : 's3:ListBucket', resource };
  }
  if (method === 'GET' || method === 'HEAD') return { action: 's3:GetObject', resource };
  if (method === 'DELETE') return { action: 's3:DeleteObject', resource };
  const source = headers['x-amz-copy-source'];
  const read = { action: 's3:GetObject', resource: `arn:aws:s3:::${decodeURIComponent(String(source)).slice(1)}` };
  return { action: 's3:PutObject', resource, ...(source === undefined ? {} : { also: [read] }) };
}

/** What a request to CloudFront needs to be allowed. */
export function cloudFrontCall(method: string, pathname: string, account: string): Permission {
  const [, id = '*', invalidation] = /^\/[\d-]+\/distribution(?:\/([^/]+)(\/invalidation)?)?/.exec(pathname) ?? [];
  const verb = method === 'GET' ? 'Get' : 'Create';
  const thing = invalidation === undefined ? 'Distribution' : 'Invalidation';
  return { action: `cloudfront:${verb}${thing}`, resource: `arn:aws:cloudfront::${account}:distribution/${id}` };
}
