import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, missingAction, told } from './errors.ts';
import { cloudFrontHost } from './partition.ts';
import { AwsError, type RestAnswer, type RestCall, openRest } from './rest.ts';
import { element, elements, escaped } from './xml.ts';

/** A distribution, as far as a deploy has to know it. */
export interface Distribution {
  readonly id: string;
  /** `d123.cloudfront.net`. */
  readonly domain: string;
  readonly origins: readonly Origin[];
  /** Paths such as `/index.html` that it serves in place of errors, for addresses that only the page itself knows. */
  readonly fallbacks: readonly string[];
}

export interface Origin {
  readonly domain: string;
  /** Put before the path of each request, such as `/shop`; `''` without one. */
  readonly path: string;
}

/** What is asked of CloudFront. Refusals are UserErrors that name the distribution and the IAM action. */
export interface CloudFront {
  describe(id: string): Promise<Distribution>;
  /** @param reference the same one for the same wish, so that asking twice invalidates once. @returns its id */
  invalidate(id: string, paths: readonly string[], reference: string): Promise<string>;
  /** Whether the invalidation has reached every edge. */
  isInvalidated(id: string, invalidation: string): Promise<boolean>;
}

const VERSION = '/2020-05-31';

export function openCloudFront(
  credentials: CredentialSource,
  region: string,
  host: Pick<Host, 'env' | 'signal' | 'clock'>,
): CloudFront {
  const own = cloudFrontHost(region);
  const endpoint = endpointOf(host.env, 'CLOUDFRONT') ?? `https://${own.host}`;
  const options = { credentials, clock: host.clock, signal: host.signal, proxyEnv: host.env };
  const rest = openRest({ name: 'cloudfront', endpoint, region: own.region }, options);

  const asking = async (permission: string, id: string, call: RestCall): Promise<RestAnswer> => {
    try {
      return await rest(call);
    } catch (error) {
      host.signal.throwIfAborted();
      throw error instanceof AwsError ? explain(error, permission, id) : error;
    }
  };
  const distributionPath = (id: string): string => `${VERSION}/distribution/${id}`;

  return {
    async describe(id) {
      const path = distributionPath(id);
      const { body } = await asking('cloudfront:GetDistribution', id, { method: 'GET', path });
      const xml = body.toString('utf8');
      return {
        id,
        domain: element(xml, 'DomainName') ?? '',
        origins: elements(xml, 'Origin').map((one) => ({
          domain: element(one, 'DomainName') ?? '',
          path: element(one, 'OriginPath') ?? '',
        })),
        fallbacks: elements(xml, 'CustomErrorResponse').flatMap((one) => element(one, 'ResponsePagePath') ?? []),
      };
    },
    async invalidate(id, paths, reference) {
      const items = paths.map((path) => `<Path>${escaped(path)}</Path>`).join('');
      const batch = `<Paths><Quantity>${paths.length}</Quantity><Items>${items}</Items></Paths>`;
      const { body } = await asking('cloudfront:CreateInvalidation', id, {
        method: 'POST',
        path: `${distributionPath(id)}/invalidation`,
        headers: { 'content-type': 'application/xml' },
        body: `<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">${batch}<CallerReference>${escaped(reference)}</CallerReference></InvalidationBatch>`,
      });
      const invalidation = element(body.toString('utf8'), 'Id');
      if (invalidation === undefined) throw new Error('CloudFront answered CreateInvalidation without an id');
      return invalidation;
    },
    async isInvalidated(id, invalidation) {
      const path = `${distributionPath(id)}/invalidation/${invalidation}`;
      const { body } = await asking('cloudfront:GetInvalidation', id, { method: 'GET', path });
      return /^completed$/i.test(element(body.toString('utf8'), 'Status') ?? '');
    },
  };
}

function explain(error: AwsError, permission: string, id: string): UserError {
  if (error.name === 'NoSuchDistribution') {
    return new UserError(`There is no CloudFront distribution ${id} in the account of the role`, {
      remedy:
        'Check the input distribution (or the variable DISTRIBUTION of the environment): it is an id such as E2QWRUHAPOMQZL.',
      cause: error,
    });
  }
  if (error.name.startsWith('AccessDenied')) {
    return new UserError(`CloudFront refuses it for the distribution ${id}: ${told(error)}`, {
      remedy: `Add the IAM action ${missingAction(error, permission)} for this distribution to the policy of the role.`,
      cause: error,
    });
  }
  return (
    credentialFault(error) ??
    new UserError(`CloudFront did not do it for the distribution ${id} (${error.name}): ${told(error)}`, {
      remedy: 'Run the job again; where it is told that there are too many invalidations, wait for those under way.',
      cause: error,
    })
  );
}
