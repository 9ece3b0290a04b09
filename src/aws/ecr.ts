import type { AuthorizationData, ECRClient, Repository } from '@aws-sdk/client-ecr';
import { UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { clientSettings } from './client.ts';
import { type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, isDenied, told } from './errors.ts';

/** How to sign in to a registry. */
export interface RegistryLogin {
  /** Host, with the port when it has one. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** A repository of ECR. */
export interface EcrRepository {
  /** `host/name`, as ECR itself says it. */
  readonly uri: string;
  /** Whether a tag may move to another image. */
  readonly mutable: boolean;
  readonly created: boolean;
}

/** What an action asks of ECR. */
export interface Ecr {
  /** A password for 12 hours, masked. @throws UserError when ECR refuses */
  login(): Promise<RegistryLogin>;
  /**
   * The repository, created when it is missing and `create` allows it: immutable tags, scanned on push, with a
   * lifecycle policy.
   * @throws UserError when it is missing and may not be created, or ECR refuses
   */
  repository(name: string, create: boolean): Promise<EcrRepository>;
  /**
   * What ECR's own scan found in an image, of its base mostly; waits up to `patience` milliseconds for a scan that runs.
   * @returns undefined where there is no scan, it has not ended, or ECR may not be asked: then one line in the log says so
   */
  scan(name: string, digest: string, patience: number): Promise<ScanCounts | undefined>;
}

/** Findings of ECR's scan by their severity, in ECR's words. */
export type ScanCounts = Readonly<Record<string, number>>;

const SCAN_PAUSE_MS = 3000;

/**
 * What a new repository forgets: pieces that no tag names. Images with a tag stay, as ECR cannot know which of them
 * serves: a count or an age would one day take away what a cluster still starts pods from. Each image of build-node has
 * its content tag, so all of them stay; a team that wants fewer sets a policy of its own, which is never overwritten.
 */
const LIFECYCLE = {
  rules: [
    {
      rulePriority: 1,
      description: 'images without a tag, after 14 days',
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 14 },
      action: { type: 'expire' },
    },
  ],
};

/** Speaks to ECR of one region; `account` where it is not the credentials' own. The SDK is loaded with the first call. */
export async function openEcr(
  credentials: CredentialSource,
  { region, account }: { readonly region: string; readonly account?: string },
  host: Pick<Host, 'env' | 'signal' | 'mask' | 'log' | 'clock'>,
): Promise<Ecr> {
  const keys = await credentials();
  const sdk = await import('@aws-sdk/client-ecr');
  const client: ECRClient = new sdk.ECRClient(clientSettings(keys, region, endpointOf(host.env, 'ECR'), host.env));
  const owner = account === undefined ? {} : { registryId: account };
  const options = { abortSignal: host.signal };

  const asking = async <T>(what: string, permission: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      host.signal.throwIfAborted();
      throw error instanceof UserError ? error : explain(error, what, permission, region);
    }
  };

  const find = async (name: string): Promise<Repository | undefined> =>
    asking(`show the repository ${name}`, 'ecr:DescribeRepositories', async () => {
      try {
        const command = new sdk.DescribeRepositoriesCommand({ ...owner, repositoryNames: [name] });
        return (await client.send(command, options)).repositories?.[0];
      } catch (error) {
        if (error instanceof sdk.RepositoryNotFoundException) return undefined;
        throw error;
      }
    });

  const make = async (name: string): Promise<Repository | undefined> =>
    asking(`create the repository ${name}`, 'ecr:CreateRepository', async () => {
      try {
        const command = new sdk.CreateRepositoryCommand({
          ...owner,
          repositoryName: name,
          imageTagMutability: 'IMMUTABLE',
          imageScanningConfiguration: { scanOnPush: true },
        });
        return (await client.send(command, options)).repository;
      } catch (error) {
        // Another job was faster.
        if (error instanceof sdk.RepositoryAlreadyExistsException) return find(name);
        throw error;
      }
    });

  // The repository serves without it, so a refusal here must not stop the release.
  const setLifecycle = async (name: string): Promise<void> => {
    const what = `set the lifecycle policy of ${name}, so it keeps every image`;
    const policy = { repositoryName: name, lifecyclePolicyText: JSON.stringify(LIFECYCLE) };
    await asking(what, 'ecr:PutLifecyclePolicy', async () =>
      client.send(new sdk.PutLifecyclePolicyCommand({ ...owner, ...policy }), options),
    ).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      host.log.warning(describe(error));
    });
  };

  const scanOnce = async (name: string, digest: string): Promise<ScanCounts | 'runs' | undefined> =>
    asking(`tell what the scan of ${name} found`, 'ecr:DescribeImageScanFindings', async () => {
      try {
        const image = { repositoryName: name, imageId: { imageDigest: digest }, maxResults: 1 };
        const found = await client.send(new sdk.DescribeImageScanFindingsCommand({ ...owner, ...image }), options);
        const { status = '' } = found.imageScanStatus ?? {};
        if (['PENDING', 'IN_PROGRESS'].includes(status)) return 'runs';
        if (!['COMPLETE', 'ACTIVE'].includes(status)) return undefined;
        return Object.fromEntries(
          Object.entries(found.imageScanFindings?.findingSeverityCounts ?? {}).map(([word, count]) => [
            word,
            count ?? 0,
          ]),
        );
      } catch (error) {
        // A scan begins some moments after the push; of a repository that is not scanned none ever does.
        if (error instanceof sdk.ScanNotFoundException) return 'runs';
        throw error;
      }
    });

  return {
    async scan(name, digest, patience) {
      try {
        for (let waited = 0; ; waited += SCAN_PAUSE_MS) {
          const found = await scanOnce(name, digest);
          if (found !== 'runs') return found;
          if (waited >= patience) break;
          await host.clock.sleep(SCAN_PAUSE_MS, host.signal);
        }
        host.log.info(`ECR has not told yet what its scan of ${name} found`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        host.log.info(`what ECR's scan found is not told: ${describe(error)}`);
      }
      return undefined;
    },

    login: async () =>
      asking('give a password', 'ecr:GetAuthorizationToken', async () => {
        const { authorizationData } = await client.send(new sdk.GetAuthorizationTokenCommand({}), options);
        return readLogin(authorizationData?.[0] ?? {}, host.mask);
      }),

    async repository(name, create) {
      const found = await find(name);
      if (found !== undefined) return { ...described(found, name), created: false };
      if (!create) throw missing(name, region);
      const made = described((await make(name)) ?? {}, name);
      await setLifecycle(name);
      return { ...made, created: true };
    },
  };
}

function described(repository: Repository, name: string): Omit<EcrRepository, 'created'> {
  const uri = repository.repositoryUri;
  if (uri === undefined) throw new Error(`ECR answered without the address of the repository ${name}`);
  return { uri, mutable: !(repository.imageTagMutability ?? 'MUTABLE').startsWith('IMMUTABLE') };
}

/** The token is base64 of `AWS:password`, see the API reference of GetAuthorizationToken. */
function readLogin(
  { authorizationToken = '', proxyEndpoint = '' }: AuthorizationData,
  mask: (secret: string) => void,
): RegistryLogin {
  mask(authorizationToken);
  const [username = '', password = ''] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(/:(.*)/s);
  mask(password);
  if (password === '' || !URL.canParse(proxyEndpoint)) {
    throw new Error('ECR answered GetAuthorizationToken without a usable token');
  }
  return { registry: new URL(proxyEndpoint).host, username, password };
}

function missing(name: string, region: string): UserError {
  return new UserError(`There is no ECR repository ${name} in ${region}, and create-repository is false`, {
    remedy: `Create it, set create-repository to true, or check the inputs image, registry and region.`,
  });
}

function explain(error: unknown, what: string, permission: string, region: string): UserError {
  if (isDenied(error)) {
    return new UserError(`ECR in ${region} refuses to ${what}: ${told(error)}`, {
      remedy: `Add the IAM action ${permission} to the policy of the role.`,
      cause: error,
    });
  }
  return (
    credentialFault(error) ??
    new UserError(`ECR in ${region} did not ${what}: ${told(error)}`, {
      remedy: 'Check the input region and that the runner reaches AWS, then run the job again.',
      cause: error,
    })
  );
}
