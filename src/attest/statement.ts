import { UserError } from '../action/errors.ts';
import { isObject } from '../project/json.ts';

/** An image that something is said about. */
export interface ImageSubject {
  /** `host/repository`, without tag and digest. */
  readonly name: string;
  /** `sha256:…`. */
  readonly digest: string;
}

/** What is said: the predicate's type is a URL that says how to read it. */
export interface Predicate {
  readonly type: string;
  readonly content: object;
}

/** The predicate of cosign 3's signatures of images: the signature alone, nothing is said. */
export const COSIGN_SIGNATURE: Predicate = { type: 'https://sigstore.dev/cosign/sign/v1', content: {} };

/** An in-toto statement, version 1: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. */
export function statement({ name, digest }: ImageSubject, { type, content }: Predicate): object {
  const [algorithm = '', value = ''] = digest.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { [algorithm]: value } }],
    predicateType: type,
    predicate: content,
  };
}

/** The claims of a job's OIDC token, https://docs.github.com/actions/reference/security/oidc. */
export type Claims = Readonly<Record<string, string>>;

const NEEDED = [
  'sub',
  'ref',
  'sha',
  'repository',
  'event_name',
  'job_workflow_ref',
  'workflow_ref',
  'repository_id',
  'repository_owner_id',
  'runner_environment',
  'run_id',
  'run_attempt',
] as const;

/**
 * The claims of a token that the runner gave, so its signature is Fulcio's to check.
 * @throws UserError when one is missing that the provenance is made of
 */
export function claimsOf(token: string): Claims {
  const claims = decode(token.split('.')[1] ?? '');
  const missing = NEEDED.filter((name) => typeof claims[name] !== 'string');
  if (missing.length > 0) {
    throw new UserError(`the identity token of the job lacks ${missing.join(', ')}`, {
      remedy: 'Attestations need an identity token of GitHub Actions; set attest to false elsewhere.',
    });
  }
  return Object.fromEntries(
    Object.entries(claims).filter((one): one is [string, string] => typeof one[1] === 'string'),
  );
}

function decode(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * SLSA provenance 1 (https://slsa.dev/spec/v1.0/provenance) of GitHub's own build type for workflows, which
 * https://actions.github.io/buildtypes/workflow/v1 describes: everything in it comes from the signed identity token.
 */
export function provenance(claims: Claims, serverUrl: string): Predicate {
  const claim = (name: string): string => claims[name] ?? '';
  const repository = `${serverUrl}/${claim('repository')}`;
  const [path = ''] = claim('workflow_ref')
    .replace(`${claim('repository')}/`, '')
    .split('@');
  return {
    type: 'https://slsa.dev/provenance/v1',
    content: {
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: { workflow: { ref: claim('ref'), repository, path } },
        internalParameters: {
          github: {
            event_name: claim('event_name'),
            repository_id: claim('repository_id'),
            repository_owner_id: claim('repository_owner_id'),
            runner_environment: claim('runner_environment'),
          },
        },
        resolvedDependencies: [{ uri: `git+${repository}@${claim('ref')}`, digest: { gitCommit: claim('sha') } }],
      },
      runDetails: {
        builder: { id: `${serverUrl}/${claim('job_workflow_ref')}` },
        metadata: { invocationId: `${repository}/actions/runs/${claim('run_id')}/attempts/${claim('run_attempt')}` },
      },
    },
  };
}
