import { type Problem, UserError } from '../action/errors.ts';
import type { Connection } from './database.ts';

/** What a URL says; `ca` is no part of it. */
export interface ParsedUrl {
  readonly connection: Omit<Connection, 'ca'>;
  /** The URL asked for less than a verified server, and gets one all the same. */
  readonly upgraded: boolean;
}

const FORM = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^?#]*))?$/;
const EXAMPLE = 'postgres://user:password@host:5432/database';

const KNOWN = new Set(['host', 'port', 'user', 'password', 'dbname', 'sslmode']);
/** Parameters that change nothing for a migration: those of pools, of waiting, and of names in lists. */
const IGNORED = new Set([
  'application_name',
  'channel_binding',
  'connect_timeout',
  'connection_limit',
  'gssencmode',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'max_idle_connection_lifetime',
  'pool_timeout',
  'socket_timeout',
  'sslnegotiation',
  'statement_cache_size',
  'target_session_attrs',
  'tcp_user_timeout',
]);
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * Reads a URL of PostgreSQL, strictly. Whatever `sslmode` says, a server that is not on this machine is verified: the
 * password goes to nobody else.
 * @param name the input it comes from, for errors; the URL itself is never shown
 * @throws UserError with all that is wrong with it
 */
export function parsePostgresUrl(url: string, name = 'database-url'): ParsedUrl {
  const problems: Problem[] = [];
  const wrong = (message: string, remedy: string): undefined =>
    void problems.push({ message: `${name} ${message}`, remedy });
  const parts = FORM.exec(url.trim());
  if (!parts) {
    throw new UserError(`${name} is not the URL of a PostgreSQL database`, { remedy: formRemedy(url) });
  }
  const [, who = '', where = '', path = '', search = ''] = parts;
  const decoded = (text: string, what: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      wrong(`has a ${what} with a % that encodes nothing`, 'Write a % of it as %25.');
      return '';
    }
  };
  const parameters = parametersOf(search, decoded, wrong);
  const [, rawUser = '', rawPassword = ''] = /^([^:]*):?([^]*)$/.exec(who) ?? [];
  const user = decoded(rawUser, 'user') || parameters.get('user') || '';
  const password = decoded(rawPassword, 'password') || parameters.get('password') || '';
  const database = decoded(path, 'database') || parameters.get('dbname') || '';
  if (user === '') wrong('names no user', `Write it as ${EXAMPLE}.`);
  if (database === '') wrong('names no database', `Write it as ${EXAMPLE}.`);
  const { host, port } = serverOf(where, parameters, decoded, wrong);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const unprintable = [user, password, database, host].some((part) => /[\u0000-\u001f\u007f]/.test(part));
  if (unprintable) wrong('has a control character in it', 'Take it out, encoded ones such as %00 and %0A too.');
  const mode = parameters.get('sslmode') ?? 'prefer';
  if (!SSL_MODES.includes(mode)) wrong('has an unknown sslmode', `Allowed: ${SSL_MODES.slice(0, 6).join(', ')}.`);
  if (problems.length > 0) throw UserError.all(problems, `${name} cannot be used`);
  const isVerified = mode.startsWith('verify-');
  const tls = isLocal(host) && !isVerified && mode !== 'require' ? 'off' : 'verify';
  const upgraded = tls === 'verify' && parameters.has('sslmode') && !isVerified;
  return { connection: { host, port, user, password, database, tls }, upgraded };
}

type Wrong = (message: string, remedy: string) => undefined;
type Decode = (text: string, what: string) => string;

function parametersOf(search: string, decoded: Decode, wrong: Wrong): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  for (const pair of search.split('&').filter(Boolean)) {
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decoded(pair.slice(0, at), 'parameter');
    const value = decoded(pair.slice(at + 1), `parameter ${shown(name)}`);
    if (result.has(name)) wrong(`gives the parameter ${shown(name)} twice`, 'Leave one of them out.');
    result.set(name, value);
    if (KNOWN.has(name) || IGNORED.has(name) || (name === 'schema' && value === 'public')) continue;
    if (name === 'pgbouncer' && value !== 'true') continue;
    if (name === 'pgbouncer') {
      wrong(
        'leads to PgBouncer (pgbouncer=true)',
        'Migrations need sessions of their own: give the URL of the database itself, Prisma calls it directUrl.',
      );
    } else if (name === 'options' || name === 'schema') {
      wrong(
        `sets ${name}, which the migration's own tool would not get`,
        'Set it for the role instead: ALTER ROLE <user> IN DATABASE <database> SET search_path = <schema>.',
      );
    } else if (name.startsWith('ssl')) {
      wrong(`has the parameter ${shown(name)}`, 'Name the file with the certificates to trust in the input ca-file.');
    } else wrong(`has the unknown parameter ${shown(name)}`, 'Leave it out.');
  }
  return result;
}

function serverOf(where: string, parameters: ReadonlyMap<string, string>, decoded: Decode, wrong: Wrong) {
  const none = { host: '', port: 0 };
  const hosts = where || parameters.get('host') || '';
  if (hosts.includes(',')) {
    wrong('names several hosts', 'Name the one that takes writes, such as the cluster endpoint of Aurora.');
    return none;
  }
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::(.*))?$/.exec(where);
  if (!parts || /^[^[].*:.*:/.test(where)) {
    wrong('has no usable host', 'Put an IPv6 address between [ and ].');
    return none;
  }
  const host = (decoded(parts[1] ?? '', 'host') || parameters.get('host') || '').replaceAll(/^\[|\]$/g, '');
  const port = parts[2] || parameters.get('port') || '5432';
  if (host === '') wrong('names no host', `Write it as ${EXAMPLE}.`);
  else if (!host.startsWith('/') && !/^[\w.:-]+$/.test(host))
    wrong('has a host of the wrong form', `As in ${EXAMPLE}.`);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    wrong('has a port that is none', 'Allowed: 1 to 65535. A / or : in the password has to be encoded: %2F, %3A.');
  }
  return { host, port: Number(port) };
}

/** Whether a host can only be this machine: a Unix socket's folder or loopback. */
export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function formRemedy(url: string): string {
  if (/^(mysql|mariadb):/.test(url)) return 'This is a URL of MySQL; the tool of the project is for PostgreSQL.';
  if (url.startsWith('jdbc:')) return `Not in the form of JDBC, but as ${EXAMPLE}.`;
  if (!/^postgres(ql)?:\/\//.test(url)) return `Write it as ${EXAMPLE}.`;
  return `Write it as ${EXAMPLE}, with signs such as @ / ? # of the password encoded: %40 %2F %3F %23.`;
}

function shown(name: string): string {
  return /^\w{1,40}$/.test(name) ? name : '(of an odd name)';
}

/** The forms in which a password shows up in logs: as it is, encoded for URLs and forms, as JSON, as base64. */
export function masksOf(password: string): readonly string[] {
  const url = encodeURIComponent(password);
  const strict = url.replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const base64 = Buffer.from(password).toString('base64');
  const forms = [
    password,
    url,
    strict,
    lower(url),
    lower(strict),
    new URLSearchParams({ p: password }).toString().slice(2),
    JSON.stringify(password).slice(1, -1),
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(password).toString('base64url'),
  ];
  return [...new Set(forms)].filter((form) => form !== '');
}
