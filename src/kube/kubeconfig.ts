import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { UserError, messageOf } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import type { ServerOptions } from './http.ts';

/** A server to connect to, and the namespace that its context names. */
export interface KubeconfigTarget {
  readonly server: ServerOptions;
  readonly namespace?: string;
  /** Credentials in it, to be masked before use. */
  readonly secrets: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a kubeconfig file; paths in it count from its folder, as kubectl has it.
 * @param context the context to use; the file's current one when it is `''`
 * @throws UserError when it can't be read, lacks the context, or wants a program run for credentials
 */
export async function readKubeconfig(file: string, context = ''): Promise<KubeconfigTarget> {
  const fail = (message: string, remedy?: string): UserError =>
    new UserError(`kubeconfig ${file}: ${message}`, remedy === undefined ? {} : { remedy });
  const config = await parse(file, fail);
  const name = context || word(config['current-context']);
  if (name === '') throw fail('names no current context', 'set the input context');
  const chosen = named(config, 'contexts', name, 'context');
  if (!chosen) throw fail(`has no context ${quote(name)}`, `contexts there: ${names(config, 'contexts') || 'none'}`);
  const cluster = named(config, 'clusters', word(chosen['cluster']), 'cluster');
  const user = named(config, 'users', word(chosen['user']), 'user') ?? {};
  if (!cluster) throw fail(`has no cluster ${quote(word(chosen['cluster']))}, which the context names`);
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined) {
    throw fail(
      'gets its credentials from a program, which is not run here',
      'for EKS give cluster and role-to-assume; else put a token or client certificate into the kubeconfig',
    );
  }
  const url = word(cluster['server']);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw fail(`has no usable server address: ${quote(url)}`);
  const content = async (fields: Fields, field: string): Promise<string | undefined> => {
    const data = word(fields[`${field}-data`]);
    if (data !== '') return Buffer.from(data, 'base64').toString('utf8');
    const path = word(fields[field]);
    if (path === '') return undefined;
    return readFile(resolve(dirname(file), path), 'utf8').catch((error: unknown) => {
      throw fail(`${field} can't be read: ${messageOf(error)}`);
    });
  };
  const [ca, certificate, key] = await Promise.all([
    content(cluster, 'certificate-authority'),
    content(user, 'client-certificate'),
    content(user, 'client-key'),
  ]);
  const tokenFile = word(user['tokenFile']);
  const token = async (): Promise<string> =>
    word(user['token']) || (await readFile(resolve(dirname(file), tokenFile), 'utf8')).trim();
  const hasToken = word(user['token']) !== '' || tokenFile !== '';
  const namespace = word(chosen['namespace']);
  const serverName = word(cluster['tls-server-name']);
  return {
    server: {
      server: url,
      ...(ca === undefined ? {} : { ca }),
      ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
      ...(serverName === '' ? {} : { serverName }),
      ...(hasToken ? { token } : {}),
      ...(certificate !== undefined && key !== undefined ? { clientCertificate: { certificate, key } } : {}),
    },
    ...(namespace === '' ? {} : { namespace }),
    secrets: [word(user['token']), key ?? ''].filter((secret) => secret !== ''),
  };
}

async function parse(file: string, fail: (message: string, remedy?: string) => UserError): Promise<Fields> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fail(`can't be read: ${messageOf(error)}`, 'write the file before this step');
  });
  let value: unknown;
  try {
    value = load(text);
  } catch {
    // The parser's own words would quote the file, and with it the credentials.
    throw fail('is not YAML');
  }
  if (!isFields(value)) throw fail('is not a kubeconfig');
  return value;
}

function entries(config: Fields, list: string): readonly Fields[] {
  const items = config[list];
  return Array.isArray(items) ? (items as unknown[]).filter(isFields) : [];
}

function named(config: Fields, list: string, name: string, field: string): Fields | undefined {
  const value = entries(config, list).find((item) => item['name'] === name)?.[field];
  return isFields(value) ? value : undefined;
}

function names(config: Fields, list: string): string {
  return entries(config, list)
    .map((item) => word(item['name']))
    .join(', ');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
