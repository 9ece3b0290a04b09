import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { stsHost } from './partition.ts';
import { element } from './xml.ts';

/** Keys that sign AWS requests; `expiration` in milliseconds since 1970, absent for keys that stay. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: number;
}

/** Gives credentials that are valid for some minutes yet, fetching new ones when needed. */
export type CredentialSource = () => Promise<Credentials>;

export interface CredentialOptions {
  /** ARN of the role; `''` or absent takes the environment's keys. */
  readonly roleToAssume?: string;
  readonly region: string;
  readonly sessionName?: string;
  /** Seconds; 3600 unless told. */
  readonly roleDuration?: number;
}

/** What of the host the credentials need. */
export type AwsHost = Pick<Host, 'env' | 'clock' | 'signal' | 'mask' | 'idToken' | 'info'>;

const REFRESH_BEFORE_MS = 5 * 60_000;
const ATTEMPTS = 5;
const TIMEOUT_MS = 15_000;

/**
 * Credentials of the role, by this job's OIDC token, or those of the environment when no role is named.
 * The source throws a UserError when the role may not be assumed or there are no keys at all.
 */
export function awsCredentials(host: AwsHost, options: CredentialOptions): CredentialSource {
  const role = options.roleToAssume;
  if (!role) return async () => environmentCredentials(host);
  let held: Credentials | undefined;
  let pending: Promise<Credentials> | undefined;
  return async () => {
    if (held && host.clock.now() < (held.expiration ?? Infinity) - REFRESH_BEFORE_MS) return held;
    pending ??= assumeRole(host, role, options).finally(() => {
      pending = undefined;
    });
    held = await pending;
    return held;
  };
}

/** The endpoint that stands in for a service's own, or undefined. */
export function endpointOf(
  env: Host['env'],
  service: 'STS' | 'EKS' | 'ECR' | 'S3' | 'CLOUDFRONT' | 'RDS' | 'SECRETS_MANAGER' | 'ELASTIC_LOAD_BALANCING_V2',
): string | undefined {
  return env[`AWS_ENDPOINT_URL_${service}`] || env['AWS_ENDPOINT_URL'] || undefined;
}

function environmentCredentials({ env, mask }: AwsHost): Credentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  if (!accessKeyId || !secretAccessKey) {
    throw new UserError('There are no AWS credentials for this job', {
      remedy:
        'Set the input role-to-assume (and permissions: id-token: write), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.',
    });
  }
  const sessionToken = env['AWS_SESSION_TOKEN'];
  mask(secretAccessKey);
  if (sessionToken) mask(sessionToken);
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

async function assumeRole(host: AwsHost, role: string, options: CredentialOptions): Promise<Credentials> {
  const { region } = options;
  const endpoint = endpointOf(host.env, 'STS') ?? `https://${stsHost(region)}`;
  const token = await host.idToken('sts.amazonaws.com');
  host.mask(token);
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: (options.sessionName ?? `run-${host.info.runId}`).replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64),
    DurationSeconds: String(options.roleDuration ?? 3600),
    WebIdentityToken: token,
  });
  for (let attempt = 1; ; attempt += 1) {
    const answer = await post(endpoint, form, host.signal);
    if (answer.status === 200) return readCredentials(answer.body, host);
    const code = element(answer.body, 'Code') ?? `HTTP ${answer.status}`;
    const passing =
      answer.status === 0 || answer.status === 429 || answer.status >= 500 || /Thrott|IDPCommunication/.test(code);
    if (!passing || attempt === ATTEMPTS)
      throw refusal(role, code, element(answer.body, 'Message') ?? answer.body, host);
    await host.clock.sleep(250 * 2 ** attempt, host.signal);
  }
}

async function post(
  endpoint: string,
  form: URLSearchParams,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      body: form,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
    return { status: 0, body: `${endpoint} does not answer (${messageOf(error)}${cause})` };
  }
}

function readCredentials(xml: string, { mask }: AwsHost): Credentials {
  const accessKeyId = element(xml, 'AccessKeyId');
  const secretAccessKey = element(xml, 'SecretAccessKey');
  const sessionToken = element(xml, 'SessionToken');
  const expiration = Date.parse(element(xml, 'Expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiration)) {
    throw new Error('STS answered AssumeRoleWithWebIdentity without complete credentials');
  }
  mask(secretAccessKey);
  mask(sessionToken);
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}

function refusal(role: string, code: string, message: string, { info }: AwsHost): UserError {
  const [owner = 'org', name = 'repo'] = info.repository.split('/');
  return new UserError(`The role ${role} cannot be assumed (${code}): ${message.slice(0, 500)}`, {
    remedy:
      code === 'AccessDenied' || code === 'InvalidIdentityToken'
        ? `Its trust policy must allow sts:AssumeRoleWithWebIdentity for token.actions.githubusercontent.com with aud sts.amazonaws.com and a sub like repo:${owner}/${name}:… or, with immutable ids, repo:${owner}@ID/${name}@ID:…`
        : 'Check role-to-assume, region and the duration of the session; run the job again if AWS was unreachable.',
  });
}
