import { UserError, messageOf } from '../action/errors.ts';
import { type Kube, KubeError } from '../kube/kube.ts';
import type { Connection } from '../postgres/database.ts';
import { masksOf, parsePostgresUrl } from '../postgres/url.ts';

/** What of a connection a secret holds. */
export type Parts = Partial<Omit<Connection, 'ca'>>;

type Mask = (secret: string) => void;

/** Names that secrets have for the whole URL, as operators and charts write them. */
const URL_KEYS = [
  'url',
  'uri',
  'DATABASE_URL',
  'database-url',
  'database_url',
  'dsn',
  'connectionString',
  'connection-string',
];
const KEYS = {
  user: ['username', 'user', 'DB_USER', 'PGUSER', 'POSTGRES_USER'],
  password: ['password', 'DB_PASSWORD', 'PGPASSWORD', 'POSTGRES_PASSWORD', 'postgres-password'],
  host: ['host', 'hostname', 'DB_HOST', 'PGHOST', 'POSTGRES_HOST'],
  port: ['port', 'DB_PORT', 'PGPORT', 'POSTGRES_PORT'],
  database: ['dbname', 'database', 'DB_NAME', 'PGDATABASE', 'POSTGRES_DB'],
} as const;

/**
 * What the text of a secret says: a URL, or the JSON of RDS (Secrets Manager User Guide, "JSON structure of secrets").
 * @throws UserError when it is neither; of its text nothing is shown
 */
export function partsOf(text: string, mask: Mask): Parts {
  const shown = text.trim();
  mask(shown);
  if (/^postgres(ql)?:\/\//.test(shown)) return urlParts(shown, mask);
  let value: unknown;
  try {
    value = JSON.parse(shown);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError('The secret is neither a URL of PostgreSQL nor JSON', {
      remedy: 'Store {"username": …, "password": …, "host": …, "port": …, "dbname": …}, as RDS does, or a URL.',
    });
  }
  const fields = Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([name, field]) =>
    typeof field === 'string' || typeof field === 'number' ? [[name, String(field)] as const] : [],
  );
  return fieldParts(new Map(fields), mask);
}

/**
 * What a Secret of the cluster says.
 * @param name `namespace/name`, or with the key that holds all of it
 * @throws UserError when it can't be read, or lacks the key
 */
export async function kubernetesParts(name: string, kube: Kube, mask: Mask): Promise<Parts> {
  const [namespace = '', secret = '', key] = name.split('/');
  const found = await kube
    .get({ apiVersion: 'v1', kind: 'Secret', namespace, name: secret })
    .catch((error: unknown) => {
      if (!(error instanceof KubeError)) throw error;
      throw new UserError(`The Secret ${namespace}/${secret} cannot be read: ${messageOf(error)}`, {
        remedy: `The role of the job needs the verb get for secrets, best for this one alone (resourceNames: [${secret}]).`,
        cause: error,
      });
    });
  if (found === undefined) {
    throw new UserError(`There is no Secret ${secret} in the namespace ${namespace}`, {
      remedy: 'Check kubernetes-secret.',
    });
  }
  const data = new Map(
    Object.entries((found['data'] ?? {}) as Readonly<Record<string, unknown>>).map(
      ([name, value]) => [name, Buffer.from(String(value), 'base64').toString()] as const,
    ),
  );
  const keys = [...data.keys()].join(', ').slice(0, 300) || 'none';
  if (key !== undefined) {
    const text = data.get(key);
    if (text !== undefined) return partsOf(text, mask);
    throw new UserError(`The Secret ${namespace}/${secret} has no key ${key}`, { remedy: `Its keys: ${keys}.` });
  }
  return fieldParts(data, mask);
}

function fieldParts(fields: ReadonlyMap<string, string>, mask: Mask): Parts {
  const first = (names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name)?.trim()).find((value) => value !== undefined && value !== '');
  const url = first(URL_KEYS);
  const password = first(KEYS.password);
  for (const secret of password === undefined ? [] : masksOf(password)) mask(secret);
  if (url !== undefined && /^postgres(ql)?:\/\//.test(url)) return urlParts(url, mask);
  const engine = fields.get('engine') ?? 'postgres';
  if (!/postgres/.test(engine)) {
    throw new UserError(`The secret is for ${engine.slice(0, 40)}, and not for PostgreSQL`, {
      remedy: 'Name another one.',
    });
  }
  const [user, host, port, database] = [first(KEYS.user), first(KEYS.host), first(KEYS.port), first(KEYS.database)];
  if (port !== undefined && !/^\d{1,5}$/.test(port)) {
    throw new UserError('The secret has a port that is none', { remedy: 'Allowed: 1 to 65535.' });
  }
  return {
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: Number(port) }),
    ...(database !== undefined && { database }),
  };
}

function urlParts(url: string, mask: Mask): Parts {
  mask(url);
  const { connection } = parsePostgresUrl(url, 'the URL of the secret');
  for (const secret of masksOf(connection.password)) mask(secret);
  return connection;
}
