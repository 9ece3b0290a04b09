import { environmentVariables } from '../lab/product.ts';
import { codeBlocks } from '../lab/readme.ts';
import { type Website, makeWebsite } from '../lab/website.ts';
import { controlOf } from '../lab/control.ts';
import type { LabFacts } from '../lab/part.ts';
import { freePort } from '../lab/ports.ts';

/** What a delivery of a site needs of the lab. */
export const WEB_PARTS = ['github', 'runner', 'aws'] as const;

/** A company that serves sites: what its platform team has set up once. */
export interface WebCompany {
  readonly places: readonly Place[];
  readonly variables: Readonly<Record<string, string>>;
}

/** An environment, and where visitors ask for what it serves. */
export interface Place extends Website {
  readonly name: string;
  readonly url: string;
}

/** A cache policy that keeps everything for an hour at least, so that only an invalidation brings a new page sooner. */
const MIN_TTL = 3600;

/**
 * Makes a bucket and a distribution for each environment, with a role of the very policy that the README of deploy-web
 * shows. Previews lie in the first one, by a role of their own.
 */
export async function setUpWebCompany(facts: LabFacts, names: readonly string[]): Promise<WebCompany> {
  const { aws } = facts;
  if (!aws) throw new Error('the lab gave no AWS');
  const control = controlOf(aws.control);
  await control.set('policy', null);
  const places: Place[] = [];
  for (const name of names) {
    const port = await freePort();
    const website = await makeWebsite(facts, '/index.html');
    await control.set('edge', { distribution: website.distribution, port, minTtl: MIN_TTL });
    places.push({ ...website, name, url: `http://127.0.0.1:${port}/` });
  }
  const [first] = places;
  const all = first === undefined ? [] : [...places, { ...first, name: 'preview' }];
  const role = (name: string): string => `arn:aws:iam::${aws.accountId}:role/web-${name}`;
  await control.set('policy', Object.fromEntries(all.map((place) => [role(place.name), policyOf(place)])));
  const variables = all.map(({ name, bucket, distribution, url }) =>
    environmentVariables(name, {
      AWS_ROLE: role(name),
      BUCKET: bucket.name,
      DISTRIBUTION: distribution,
      URL: url,
      CONFIG: `SITE: ${name}`,
    }),
  );
  return { places, variables: Object.assign({ AWS_REGION: aws.region }, ...variables) as Record<string, string> };
}

/** Takes back what would be in the way of others who use the lab. */
export async function leaveWebCompany({ aws }: LabFacts): Promise<void> {
  if (aws) for (const setting of ['policy', 'edge']) await controlOf(aws.control).set(setting, null);
}

function policyOf({ bucket, distribution }: Website): unknown {
  const shown = codeBlocks('actions/deploy-web/README.md', 'json').find((text) => text.includes('s3:PutObject'));
  if (shown === undefined) throw new Error('the README of deploy-web shows no policy');
  return JSON.parse(shown.replaceAll('acme-web', bucket.name).replaceAll('E2QWRUHAPOMQZL', distribution));
}
