import { UserError } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import { type AwsHost, type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, isDenied, missingAction, told } from './errors.ts';
import { serviceHost } from './partition.ts';
import { openRest } from './rest.ts';

/** `arn:aws:secretsmanager:region:account:secret:name-6chars`. */
const ARN = /^arn:aws[\w-]*:secretsmanager:([a-z]{2}[a-z0-9-]+-\d):\d{12}:secret:[\w/+=.@!-]{1,512}$/;

/** The region that a secret's ARN names. @throws UserError when it is no such ARN */
export function regionOfSecret(arn: string): string {
  const region = ARN.exec(arn)?.[1];
  if (region !== undefined) return region;
  throw new UserError(`secret-arn ${quote(arn)} is not the ARN of a secret`, {
    remedy: 'Give it whole: arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>.',
  });
}

/**
 * The text of a secret, in its current version (Secrets Manager API, GetSecretValue). The text is masked by whoever
 * knows what of it is secret.
 * @throws UserError when it can't be read, and which right is missing
 */
export async function readSecret(
  arn: string,
  credentials: CredentialSource,
  host: Pick<AwsHost, 'env' | 'clock' | 'signal'>,
): Promise<string> {
  const region = regionOfSecret(arn);
  const endpoint = endpointOf(host.env, 'SECRETS_MANAGER') ?? `https://${serviceHost('secretsmanager', region)}`;
  const { clock, signal } = host;
  const service = { name: 'secretsmanager', endpoint, region } as const;
  const ask = openRest(service, { credentials, clock, signal, proxyEnv: host.env });
  const body = JSON.stringify({ SecretId: arn });
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' };
  const answer = await ask({ method: 'POST', path: '/', headers, body }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw credentialFault(error) ?? refusal(arn, error);
  });
  const value = (JSON.parse(answer.body.toString()) as { readonly SecretString?: unknown }).SecretString;
  if (typeof value === 'string') return value;
  throw new UserError(`The secret ${arn} is binary`, { remedy: 'Store it as text.' });
}

function refusal(arn: string, error: unknown): UserError {
  const name = error instanceof Error ? error.name : '';
  const remedies: Readonly<Record<string, string>> = {
    ResourceNotFoundException: 'Check the ARN, its account and its region.',
    DecryptionFailure: 'The role needs kms:Decrypt for the key of the secret.',
    InvalidRequestException: 'The secret may be marked for deletion: restore it, or name another.',
  };
  const remedy = isDenied(error)
    ? `The role needs ${missingAction(error, 'secretsmanager:GetSecretValue')} for it, and kms:Decrypt where a key of your own encrypts it.`
    : (remedies[name] ?? 'Run the job again; check the role, the region and the way to AWS if it fails again.');
  return new UserError(`The secret ${arn} cannot be read (${name}): ${told(error)}`, { remedy, cause: error });
}
