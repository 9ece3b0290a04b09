import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/action/main.ts';
import { openRest } from '../../src/aws/rest.ts';
import { type Bucket, openBucket } from '../../src/aws/s3.ts';
import { element } from '../../src/aws/xml.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { runJob } from '../lab/job.ts';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { assumeRole } from '../lab/session.ts';
import type { BundleRun } from '../run-bundle.ts';

/** A bucket with a distribution before it, and a project whose built site lies in dist/. */
export interface Web {
  readonly facts: LabFacts;
  readonly control: Control;
  readonly bucket: Bucket;
  readonly distribution: string;
  readonly workspace: string;
  /** Writes files of the built site in place of those before. */
  build(files: Readonly<Record<string, string | Buffer>>): void;
  /** Inputs and environment of a step that deploys it. */
  step(inputs?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Parameters<typeof runJob>[1];
  deploy(inputs?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<BundleRun>;
  /** Environment of a run that an event started. */
  event(name: string, payload: object): Readonly<Record<string, string>>;
  /** The text of an object; undefined where there is none. */
  served(key: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export async function openWeb({ fallback = '' } = {}): Promise<Web> {
  const facts = await openLab('aws');
  const { aws } = facts;
  if (!aws) throw new Error('the lab gave no AWS');
  const control = controlOf(aws.control);
  await control.set('policy', null);
  const name = `web-${randomBytes(5).toString('hex')}`;
  const keys = await assumeRole(facts);
  const credentials = async () => ({
    accessKeyId: keys.AWS_ACCESS_KEY_ID,
    secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
    sessionToken: keys.AWS_SESSION_TOKEN,
  });
  const options = { credentials, clock: systemClock, signal: new AbortController().signal, proxyEnv: {} };
  const place = `<CreateBucketConfiguration><LocationConstraint>${aws.region}</LocationConstraint></CreateBucketConfiguration>`;
  await openRest(
    { name: 's3', endpoint: aws.endpoint, region: aws.region },
    options,
  )({
    method: 'PUT',
    path: `/${name}`,
    body: place,
  });
  const { body } = await openRest(
    { name: 'cloudfront', endpoint: aws.endpoint, region: 'us-east-1' },
    options,
  )({
    method: 'POST',
    path: '/2020-05-31/distribution',
    body: distributionOf(`${name}.s3.${aws.region}.amazonaws.com`, name, fallback),
  });
  const env = { AWS_ENDPOINT_URL: aws.endpoint };
  const bucket = openBucket(credentials, { name, region: aws.region }, { ...options, env });
  const workspace = mkdtempSync(path.join(tmpdir(), 'deploy-web-'));
  const distribution = element(body.toString('utf8'), 'Id') ?? '';
  const common = { bucket: name, distribution, region: aws.region, 'role-to-assume': aws.roleArn };
  const step: Web['step'] = (inputs = {}, env = {}) => ({
    action: 'deploy-web',
    workspace,
    inputs: { site: 'dist', ...common, ...inputs },
    env: { GITHUB_SHA: randomBytes(20).toString('hex'), GITHUB_RUN_ATTEMPT: '1', ...env },
  });
  return {
    facts,
    control,
    bucket,
    distribution,
    workspace,
    build(files) {
      rmSync(path.join(workspace, 'dist'), { recursive: true, force: true });
      for (const [file, content] of Object.entries(files)) {
        const whole = path.join(workspace, 'dist', file);
        mkdirSync(path.dirname(whole), { recursive: true });
        writeFileSync(whole, content);
      }
    },
    step,
    deploy: async (inputs, env) => runJob(facts, step(inputs, env)),
    event(name, payload) {
      const file = path.join(workspace, 'event.json');
      writeFileSync(file, JSON.stringify(payload));
      return { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file };
    },
    served: async (key) =>
      bucket.read(key).then(
        ({ body: content }) => content.toString('utf8'),
        () => undefined,
      ),
    async close() {
      for (const setting of ['policy', 'invalidation', 'edge']) await control.set(setting, null);
      await control.faults();
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

/** The smallest distribution that CloudFront takes, as its API reference has it. */
function distributionOf(origin: string, reference: string, fallback: string): string {
  const error = `<CustomErrorResponse><ErrorCode>404</ErrorCode><ResponsePagePath>${fallback}</ResponsePagePath><ResponseCode>200</ResponseCode></CustomErrorResponse>`;
  const errors =
    fallback === '' ? '' : `<CustomErrorResponses><Quantity>1</Quantity><Items>${error}</Items></CustomErrorResponses>`;
  return `<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><CallerReference>${reference}</CallerReference><DefaultRootObject>index.html</DefaultRootObject><Origins><Quantity>1</Quantity><Items><Origin><Id>site</Id><DomainName>${origin}</DomainName><OriginPath></OriginPath><S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins><DefaultCacheBehavior><TargetOriginId>site</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy><MinTTL>0</MinTTL></DefaultCacheBehavior>${errors}<Comment>a site</Comment><Enabled>true</Enabled></DistributionConfig>`;
}

/** A site as Vite builds it: `text` decides its pages, `chunk` its script and that script's name. */
export function site(text: string, chunk = 'AbCd12_x'): Readonly<Record<string, string>> {
  return {
    'index.html': `<!doctype html><title>${text}</title><script type="module" src="./assets/index-${chunk}.js"></script>`,
    [`assets/index-${chunk}.js`]: `console.log('${chunk}')`,
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  };
}
