import { UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { type ScanCounts, openEcr } from '../aws/ecr.ts';
import { storedLogin } from '../container/login.ts';
import { type Reference, parseReference } from '../container/reference.ts';
import { type Auths, addTag } from '../container/registry.ts';
import type { RegistryAuth } from '../container/registry-http.ts';
import type { ImageInputs } from './inputs.ts';
import { type Registry, extraTags } from './plan.ts';

/** A repository that is open for pushing. */
export interface Target {
  readonly reference: Reference;
  /** What docker has to be told; absent where it is signed in already. */
  readonly login?: RegistryAuth;
  readonly auths: Auths;
  /** Whether a tag may move to another image. */
  readonly mutable: boolean;
  readonly created: boolean;
  /** What the registry's own scan of an image found, by severity; of ECR. */
  readonly scan?: (digest: string, patience: number) => Promise<ScanCounts | undefined>;
}

/**
 * Opens the repository of an image: signs in, and creates it in ECR when it is missing and may be created.
 * @throws UserError when AWS refuses
 */
export async function openTarget(given: ImageInputs, name: string, registry: Registry, host: Host): Promise<Target> {
  if (registry.kind === 'oci') {
    const { registry: server, repository } = parseReference(`${registry.host}/${name}`);
    const login = registry.username === '' ? undefined : { username: registry.username, password: registry.password };
    const auths = authsOf(server, login ?? (await storedLogin(server, host)));
    return {
      reference: { registry: server, repository },
      ...(login && { login }),
      auths,
      mutable: true,
      created: false,
    };
  }
  const { region } = registry;
  const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
  const ecr = await openEcr(credentials, registry, host);
  const [login, { uri, mutable, created }] = [await ecr.login(), await ecr.repository(name, given.createRepository)];
  if (created) host.log.info(`created the repository ${name} in ECR of ${region}`);
  const reference = parseReference(uri);
  const scan = async (digest: string, patience: number): Promise<ScanCounts | undefined> =>
    ecr.scan(name, digest, patience);
  return { reference, login, auths: authsOf(reference.registry, login), mutable, created, scan };
}

/** A sign-in in the form that the registry client takes. */
export function authsOf(registry: string, login: RegistryAuth | undefined): Auths {
  return login === undefined ? {} : { [registry]: login };
}

/**
 * Gives the image the tags of the commit and, where tags may move, of the branch.
 *
 * A tag that cannot be set is told and is no reason to fail, as the digest is what gets deployed. It happens where tags
 * are immutable and one commit gave two images: when a job runs again after its base image changed. The commit's tag
 * then stays on the first of them, which may be what serves; failing would make a rebuild of an old commit impossible.
 * @returns the tags that stand on the image now
 */
export async function addTags(
  { auths, reference, mutable }: Target,
  digest: string,
  host: Host,
): Promise<readonly string[]> {
  const added: string[] = [];
  for (const tag of extraTags(host.info, mutable)) {
    try {
      await addTag({ ...reference, digest }, tag, auths, host);
      added.push(tag);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      host.log.warning(`the image ${digest} is pushed, but does not have the tag ${tag}: ${describe(error)}`);
    }
  }
  return added;
}
