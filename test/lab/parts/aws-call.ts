import { cloudFrontCall, s3Call } from './aws-web-call.ts';
import type { Asked } from './stand-in.ts';
import { isObject } from './values.ts';

/** One call of AWS's API, as far as the lab has to understand it. */
export interface AwsCall {
  readonly service: 'sts' | 'eks' | 'ecr' | 's3' | 'cloudfront' | 'rds' | 'elasticloadbalancing' | 'ec2';
  /** As IAM names it, such as `ecr:CreateRepository`. */
  readonly action: string;
  /** ARN of what it is about; `*` where the action has no such thing. */
  readonly resource: string;
  readonly region: string;
  /** Access key of the signature; undefined for a call without one. */
  readonly keyId: string | undefined;
  readonly sessionToken: string | undefined;
  /** What the caller has to be allowed besides, as a copy has to be read. */
  readonly also?: readonly Pick<AwsCall, 'action' | 'resource'>[];
}

export const accountId = '123456789012';
const ecrTarget = 'AmazonEC2ContainerRegistry_V20150921.';

/**
 * What a request asks of AWS. STS, RDS, EC2 and ELB speak the query protocol, ECR JSON with the action in `x-amz-target`, EKS REST; the
 * region stands in the scope of the signature; S3 and CloudFront speak REST, and are known by that scope.
 */
export function readCall({ method, url, headers, body }: Asked, homeRegion: string): AwsCall | undefined {
  const scope = /Credential=([^/,]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '');
  const [, keyId, region = homeRegion, service] = scope ?? [];
  const token = headers['x-amz-security-token'];
  const signed = { region, keyId, sessionToken: typeof token === 'string' ? token : undefined };
  const target = headers['x-amz-target'];
  if (typeof target === 'string' && target.startsWith(ecrTarget)) {
    const action = target.slice(ecrTarget.length);
    return { ...signed, service: 'ecr', action: `ecr:${action}`, resource: ecrResource(action, body, region) };
  }
  if (service === 's3') return { ...signed, service, ...s3Call({ method, url, headers, body }) };
  if (service === 'cloudfront') return { ...signed, service, ...cloudFrontCall(method, url.pathname, accountId) };
  const cluster = /^\/clusters(?:\/([^/]+))?$/.exec(url.pathname);
  if (cluster !== null && method === 'GET') {
    const [, name] = cluster;
    const action = name === undefined ? 'eks:ListClusters' : 'eks:DescribeCluster';
    const arn = `arn:aws:eks:${region}:${accountId}:cluster/${decodeURIComponent(name ?? '*')}`;
    return { ...signed, service: 'eks', action, resource: arn };
  }
  const form = new URLSearchParams(body);
  const action = form.get('Action');
  if (action === null) return undefined;
  if (service === 'elasticloadbalancing' || service === 'ec2')
    return { ...signed, service, action: `${service}:${action}`, resource: '*' };
  if (service === 'rds') return { ...signed, service, action: `rds:${action}`, resource: rdsResource(form, region) };
  return { ...signed, service: 'sts', action: `sts:${action}`, resource: form.get('RoleArn') ?? '*' };
}

/** ARN of a repository of ECR. */
export function repositoryArn(name: string, region: string): string {
  return `arn:aws:ecr:${region}:${accountId}:repository/${name}`;
}

/** ARN of the snapshot that a call is about; creating one also needs the right on its source, which is not looked at. */
function rdsResource(form: URLSearchParams, region: string): string {
  const [instance, cluster] = [form.get('DBSnapshotIdentifier'), form.get('DBClusterSnapshotIdentifier')];
  if (cluster !== null) return `arn:aws:rds:${region}:${accountId}:cluster-snapshot:${cluster}`;
  return `arn:aws:rds:${region}:${accountId}:snapshot:${instance ?? '*'}`;
}

function ecrResource(action: string, body: string, region: string): string {
  if (action === 'GetAuthorizationToken') return '*';
  const asked: unknown = JSON.parse(body || '{}');
  if (!isObject(asked)) return '*';
  const names = asked['repositoryNames'];
  const name: unknown = asked['repositoryName'] ?? (Array.isArray(names) ? names[0] : undefined);
  return repositoryArn(typeof name === 'string' ? name : '*', region);
}
