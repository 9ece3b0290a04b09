import type { Address, Found } from './tool.ts';

/** The address as a URL; what is in it is escaped. */
export function urlOf({ host, port, user, password, database }: Address): string {
  const [name, word, base] = [user, password, database].map((part) => encodeURIComponent(part));
  return `postgresql://${name}:${word}@${host}:${port}/${base}?sslmode=disable`;
}

/**
 * The address in every form by which programs are told of a database: one variable with a URL, or one for each part.
 * It is good for a port on loopback and for as long as the program runs, so it is no secret worth keeping.
 * @param found whose setting `variables` names more that take the URL, by blanks
 */
export function environmentOf(
  address: Address,
  found: Pick<Found, 'settings'> = { settings: {} },
): Readonly<Record<string, string>> {
  const more = (found.settings['variables'] ?? '').split(' ').filter((name) => name !== '');
  const { host, port, user, password, database } = address;
  const url = urlOf(address);
  const [where, who] = [String(port), user];
  return {
    ...Object.fromEntries([...URL_NAMES, ...more].map((name) => [name, url])),
    PGHOST: host,
    PGPORT: where,
    PGUSER: who,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: 'disable',
    DB_HOST: host,
    DB_PORT: where,
    DB_USER: who,
    DB_USERNAME: who,
    DB_PASSWORD: password,
    DB_PASS: password,
    DB_NAME: database,
    DB_DATABASE: database,
    POSTGRES_HOST: host,
    POSTGRES_PORT: where,
    POSTGRES_USER: who,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    DATABASE_HOST: host,
    DATABASE_PORT: where,
    DATABASE_USER: who,
    DATABASE_USERNAME: who,
    DATABASE_PASSWORD: password,
    DATABASE_NAME: database,
    ...ownNames({ url, host, port: where, user, password, database }, found),
  };
}

/** What a variable of a project's own naming may take. */
export const ADDRESS_PARTS = ['url', 'host', 'port', 'user', 'password', 'database'] as const;
export type AddressPart = (typeof ADDRESS_PARTS)[number];

/** The variables that a project calls by names of its own, by the setting `names`: `SHOP_DB_HOST=host` and the like, by blanks. */
export function ownNames(
  values: Readonly<Record<AddressPart, string>>,
  { settings: { names = '' } }: Pick<Found, 'settings'>,
): Readonly<Record<string, string>> {
  const pairs = names.split(' ').map((pair) => pair.split('='));
  return Object.fromEntries(
    pairs.flatMap(([name = '', part]) => {
      const known = ADDRESS_PARTS.find((one) => one === part);
      return known === undefined ? [] : [[name, values[known]]];
    }),
  );
}

const URL_NAMES = [
  'DATABASE_URL',
  'DB_URL',
  'POSTGRES_URL',
  'POSTGRESQL_URL',
  'PG_URL',
  'DATABASE_URI',
  // Prisma migrates by its directUrl, which commonly is one of these, and reads what is missing here from a file.
  'DIRECT_URL',
  'DIRECT_DATABASE_URL',
  'POSTGRES_URL_NON_POOLING',
] as const;

/** What libpq goes by before the host and password that it is given, or asks of a server beyond them (manual, 34.15). */
const LIBPQ =
  /^PG(HOSTADDR|SERVICE|SERVICEFILE|SYSCONFDIR|PASSFILE|OPTIONS|SSL\w+|REQUIRE\w+|CHANNELBINDING|GSS\w+|TARGETSESSIONATTRS)$/;
const URL_FORM = /^\s*((?:postgres|postgresql)(?:\+\w+)?|postgis|pgx\d?|pgsql|psql):\/\//i;

/**
 * The environment of a tool: whatever in that of the job leads to a database leads to the address instead, so that a
 * rehearsal never reaches a real one, and nobody sees its password.
 * @param own what the tool is told besides; it comes first
 * @param found whose settings name variables of the project's own
 */
export function toolEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  address: Address,
  own: Readonly<Record<string, string>>,
  found?: Pick<Found, 'settings'>,
): Readonly<Record<string, string | undefined>> {
  const url = urlOf(address);
  const elsewhere = Object.entries(inherited).flatMap(
    ([name, value = '']): (readonly [string, string | undefined])[] => {
      if (LIBPQ.test(name)) return [[name, undefined]];
      const scheme = URL_FORM.exec(value)?.[1];
      if (scheme !== undefined) return [[name, url.replace('postgresql', scheme)]];
      return /^\s*jdbc:postgresql:/i.test(value) ? [[name, jdbcOf(address)]] : [];
    },
  );
  return { ...Object.fromEntries(elsewhere), ...environmentOf(address, found), ...own };
}

/** For Java's drivers, without what is secret. */
export function jdbcOf({ host, port, database }: Address): string {
  return `jdbc:postgresql://${host}:${port}/${encodeURIComponent(database)}?sslmode=disable`;
}
