import { UserError } from '../action/errors.ts';
import { clientSettings } from './client.ts';
import { type AwsHost, type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, isDenied, told } from './errors.ts';

/** Where a cluster's API server is: an https URL, and its CA as PEM. */
export interface ClusterAddress {
  readonly endpoint: string;
  readonly ca: string;
}

/**
 * Asks EKS where the cluster is. The SDK is loaded here, so that only runs that come this far pay for it.
 * @throws UserError when there is no such cluster, it is not up, or EKS refuses or does not answer
 */
export async function describeCluster(
  credentials: CredentialSource,
  { region, cluster }: { readonly region: string; readonly cluster: string },
  host: Pick<AwsHost, 'env' | 'signal'>,
): Promise<ClusterAddress> {
  const keys = await credentials();
  const { EKSClient, DescribeClusterCommand, ListClustersCommand } = await import('./eks-sdk.ts');
  const client = new EKSClient(clientSettings(keys, region, endpointOf(host.env, 'EKS')));
  const send = { abortSignal: host.signal };
  try {
    const { cluster: found } = await client.send(new DescribeClusterCommand({ name: cluster }), send);
    if (!found?.endpoint || !found.certificateAuthority?.data) {
      throw new UserError(`The cluster ${cluster} has no endpoint yet: it is ${found?.status ?? 'of unknown status'}`, {
        remedy: 'Deploy once the cluster is ACTIVE.',
      });
    }
    return {
      endpoint: found.endpoint,
      ca: Buffer.from(found.certificateAuthority.data, 'base64').toString('utf8'),
    };
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    const known =
      error instanceof Error && error.name === 'ResourceNotFoundException'
        ? await client.send(new ListClustersCommand({}), send).then(
            (list) => list.clusters ?? [],
            () => undefined,
          )
        : undefined;
    throw explain(error, { region, cluster, ...(known === undefined ? {} : { known }) });
  } finally {
    client.destroy();
  }
}

function explain(
  error: unknown,
  { region, cluster, known }: { region: string; cluster: string; known?: readonly string[] },
): UserError {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ResourceNotFoundException') {
    const there = known === undefined ? '' : ` There ${known.length > 0 ? `are: ${known.join(', ')}` : 'is none'}.`;
    return new UserError(`There is no EKS cluster ${cluster} in ${region}.${there}`, {
      remedy: 'Check the inputs cluster and region, and the account of the role.',
      cause: error,
    });
  }
  if (isDenied(error)) {
    return new UserError(`The role may not describe the cluster ${cluster}: ${told(error)}`, {
      remedy: 'Add the IAM action eks:DescribeCluster for this cluster to the policy of the role.',
      cause: error,
    });
  }
  const answer = `EKS in ${region} gave no answer on the cluster ${cluster}: ${told(error)}`;
  return (
    credentialFault(error) ??
    new UserError(answer, {
      remedy: 'Check the input region and that the runner reaches AWS, then run the job again.',
      cause: error,
    })
  );
}
