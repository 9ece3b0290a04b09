import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/action/main.ts';
import { openRest } from '../../src/aws/rest.ts';
import { type Bucket, openBucket } from '../../src/aws/s3.ts';
import { element } from '../../src/aws/xml.ts';
import type { LabFacts } from './part.ts';
import { assumeRole } from './session.ts';

/** A bucket of the lab and the distribution before it, as a platform team makes them. */
export interface Website {
  readonly bucket: Bucket;
  /** Id of the distribution. */
  readonly distribution: string;
}

/**
 * Makes a bucket with a distribution.
 * @param fallback page that answers where there is none, such as `/index.html` for a single-page application
 */
export async function makeWebsite(facts: LabFacts, fallback = ''): Promise<Website> {
  const { aws } = facts;
  if (!aws) throw new Error('the lab gave no AWS');
  const { endpoint, region } = aws;
  const name = `web-${randomBytes(5).toString('hex')}`;
  const keys = await assumeRole(facts);
  const credentials = async () => ({
    accessKeyId: keys.AWS_ACCESS_KEY_ID,
    secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
    sessionToken: keys.AWS_SESSION_TOKEN,
  });
  const options = { credentials, clock: systemClock, signal: new AbortController().signal, proxyEnv: {} };
  const s3 = openRest({ name: 's3', endpoint, region }, options);
  const place = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  await s3({ method: 'PUT', path: `/${name}`, body: place });
  const cloudFront = openRest({ name: 'cloudfront', endpoint, region: 'us-east-1' }, options);
  const body = distributionOf(`${name}.s3.${region}.amazonaws.com`, name, fallback);
  const made = await cloudFront({ method: 'POST', path: '/2020-05-31/distribution', body });
  return {
    bucket: openBucket(credentials, { name, region }, { ...options, env: { AWS_ENDPOINT_URL: endpoint } }),
    distribution: element(made.body.toString('utf8'), 'Id') ?? '',
  };
}

/** The smallest distribution that CloudFront takes, by its API reference. */
function distributionOf(origin: string, reference: string, fallback: string): string {
  const error = `<CustomErrorResponse><ErrorCode>404</ErrorCode><ResponsePagePath>${fallback}</ResponsePagePath><ResponseCode>200</ResponseCode></CustomErrorResponse>`;
  const errors =
    fallback === '' ? '' : `<CustomErrorResponses><Quantity>1</Quantity><Items>${error}</Items></CustomErrorResponses>`;
  return `<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><CallerReference>${reference}</CallerReference><DefaultRootObject>index.html</DefaultRootObject><Origins><Quantity>1</Quantity><Items><Origin><Id>site</Id><DomainName>${origin}</DomainName><OriginPath></OriginPath><S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins><DefaultCacheBehavior><TargetOriginId>site</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy><MinTTL>0</MinTTL></DefaultCacheBehavior>${errors}<Comment>a site</Comment><Enabled>true</Enabled></DistributionConfig>`;
}
