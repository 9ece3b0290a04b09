import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Problem, UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { rdsRegion, rdsRoots } from '../aws/rds-roots.ts';
import { rdsToken } from '../aws/rds-token.ts';
import { readSecret, regionOfSecret } from '../aws/secrets-manager.ts';
import type { Kube } from '../kube/kube.ts';
import type { Connection } from '../postgres/database.ts';
import { isLocal, masksOf, parsePostgresUrl } from '../postgres/url.ts';
import { type Parts, kubernetesParts, partsOf } from './secret-parts.ts';

/** Where the database is and how one gets in, as the inputs say it; `''` where one is not given. */
export interface TargetInputs {
  /** With a password, or, where that comes from elsewhere, without one. */
  readonly databaseUrl: string;
  /** ARN of a secret in Secrets Manager. */
  readonly secretArn: string;
  /** The password is a token of IAM. */
  readonly iamAuth: boolean;
  /** `namespace/name` or `namespace/name/key`. */
  readonly kubernetesSecret: string;
  /** A file with certificates to trust, relative to the repository. */
  readonly caFile: string;
  /** Of RDS, where its endpoint does not tell it. */
  readonly region: string;
  readonly roleToAssume: string;
}

/** A database that can be connected to. */
export interface Target {
  readonly connection: ConnectionSource;
  /** `shop on db.example:5432`, without anything secret. */
  readonly name: string;
}

type TargetHost = Pick<Host, 'env' | 'clock' | 'signal' | 'mask' | 'idToken' | 'info' | 'log'>;

/**
 * Finds out how the database is reached; every secret is masked before it goes anywhere.
 * @param kube opens the cluster, where `kubernetesSecret` names a Secret of it
 * @throws UserError with all that is missing or too much
 */
export async function openTarget(inputs: TargetInputs, host: TargetHost, kube: () => Promise<Kube>): Promise<Target> {
  checkSources(inputs);
  const given = await givenBy(inputs, host, kube);
  const { host: name, port, user, database } = given;
  const target = `${database} on ${name.startsWith('/') ? name : `${name}:${port}`}`;
  const ca = given.tls === 'off' ? undefined : await trusted(inputs, given, host);
  const fixed: Connection = { ...given, ...(ca !== undefined && { ca }) };
  for (const mask of masksOf(fixed.password)) host.mask(mask);
  if (!inputs.iamAuth) return { connection: async () => fixed, name: target };
  const region = inputs.region || rdsRegion(name);
  if (region === undefined) {
    throw new UserError(`iam-auth: the host ${name} does not tell its region`, {
      remedy: 'Give the endpoint of RDS itself, since the token is good for no other name, or the input region.',
    });
  }
  const credentials = awsCredentials(host, { region, roleToAssume: inputs.roleToAssume });
  return {
    name: target,
    async connection() {
      const password = rdsToken(await credentials(), { host: name, port, user, region, now: host.clock.now() });
      for (const mask of masksOf(password)) host.mask(mask);
      return { ...fixed, password };
    },
  };
}

function checkSources({ databaseUrl, secretArn, iamAuth, kubernetesSecret, caFile }: TargetInputs): void {
  const problems: Problem[] = [];
  const sources = [
    ...(secretArn === '' ? [] : ['secret-arn']),
    ...(iamAuth ? ['iam-auth'] : []),
    ...(kubernetesSecret === '' ? [] : ['kubernetes-secret']),
  ];
  if (sources.length === 0 && databaseUrl === '') {
    problems.push({
      message: 'Nothing says which database is meant',
      remedy:
        'Set one of database-url, secret-arn, kubernetes-secret, or iam-auth with a database-url that has no password.',
    });
  }
  if (sources.length > 1) {
    problems.push({
      message: `${sources.join(' and ')} each give a password`,
      remedy: 'Leave all but one of them out.',
    });
  }
  if (iamAuth && databaseUrl === '') {
    problems.push({
      message: 'iam-auth makes a password, and nothing says for which user of which database',
      remedy: 'Set database-url to postgres://user@endpoint:5432/database, without a password.',
    });
  }
  if (caFile !== '' && (path.isAbsolute(caFile) || caFile.split(/[/\\]/).includes('..'))) {
    problems.push({ message: 'ca-file leads out of the repository', remedy: 'Name a file of the repository.' });
  }
  if (secretArn !== '') {
    try {
      regionOfSecret(secretArn);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
    }
  }
  if (kubernetesSecret !== '' && !/^[a-z0-9.-]+\/[a-z0-9.-]+(\/[\w.-]+)?$/.test(kubernetesSecret)) {
    problems.push({
      message: 'kubernetes-secret has the wrong form',
      remedy: 'Allowed: namespace/name or namespace/name/key.',
    });
  }
  if (problems.length > 0) throw UserError.all(problems, 'The database cannot be connected to');
}

/** What the URL says, completed by the secret. */
async function givenBy(inputs: TargetInputs, host: TargetHost, kube: () => Promise<Kube>): Promise<Connection> {
  const { databaseUrl, secretArn, iamAuth, kubernetesSecret, roleToAssume } = inputs;
  const fromUrl = databaseUrl === '' ? undefined : parsePostgresUrl(databaseUrl);
  if (fromUrl?.upgraded) {
    host.log.info(
      'database-url asks for no verified TLS; the server is verified all the same, as the password goes there',
    );
  }
  const url = fromUrl?.connection;
  const source = secretArn === '' ? 'kubernetes-secret' : 'secret-arn';
  if (url !== undefined && url.password !== '' && (secretArn !== '' || iamAuth || kubernetesSecret !== '')) {
    for (const mask of masksOf(url.password)) host.mask(mask);
    throw new UserError(`database-url has a password, and ${iamAuth ? 'iam-auth' : source} gives another`, {
      remedy: 'Take the password out of database-url, which then only says where the database is.',
    });
  }
  if (url !== undefined && secretArn === '' && kubernetesSecret === '') return url;
  const parts: Parts =
    secretArn === ''
      ? await kubernetesParts(kubernetesSecret, await kube(), host.mask)
      : partsOf(
          await readSecret(secretArn, awsCredentials(host, { region: regionOfSecret(secretArn), roleToAssume }), host),
          host.mask,
        );
  return completed(parts, url, source);
}

function completed(parts: Parts, url: Omit<Connection, 'ca'> | undefined, source: string): Connection {
  const where = url?.host ?? parts.host;
  const found = {
    host: where,
    user: url?.user || parts.user,
    database: url?.database || parts.database,
    password: parts.password,
  };
  const missing = Object.entries(found).flatMap(([name, value]) => (value ? [] : [name]));
  const { host = '', user = '', database = '', password = '' } = found;
  if (missing.length > 0) {
    throw new UserError(`The secret that ${source} names does not say: ${missing.join(', ')}`, {
      remedy: missing.includes('password')
        ? 'It has to hold username and password, and may hold host, port and dbname, or a URL.'
        : `Set database-url too, without a password: postgres://${user || 'user'}@${host || 'endpoint'}:5432/${database || 'database'}`,
    });
  }
  const tls = url?.tls ?? parts.tls ?? (isLocal(host) ? 'off' : 'verify');
  return { host, port: url?.port ?? parts.port ?? 5432, user, password, database, tls };
}

/** Certificates to trust besides the system's: those named, or RDS's own for its endpoints. */
async function trusted(
  { caFile }: TargetInputs,
  connection: Connection,
  host: TargetHost,
): Promise<string | undefined> {
  if (caFile !== '') {
    const pem = await readFile(path.resolve(host.info.workspace, caFile), 'utf8').catch((error: unknown) => {
      throw new UserError(`ca-file: ${caFile} cannot be read: ${messageOf(error)}`, {
        remedy: 'Name a file with certificates as PEM.',
      });
    });
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    throw new UserError(`ca-file: ${caFile} holds no certificate as PEM`, {
      remedy: 'It begins with -----BEGIN CERTIFICATE-----.',
    });
  }
  const region = rdsRegion(connection.host);
  return region === undefined ? undefined : rdsRoots(region, host);
}
