import { isIP } from 'node:net';
import { type Problem, UserError } from '../action/errors.ts';
import { type ParsedUrl, isLocal } from '../postgres/url.ts';

const FORM = /^(?:mysql|mariadb):\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^?#]*))?$/;
const EXAMPLE = 'mysql://user:password@host:3306/database';
const TLS_MODES = ['disabled', 'preferred', 'required', 'verify_ca', 'verify_identity'];
/** Parameters that change nothing for a migration: those of pools, of waiting and of how drivers read values. */
const IGNORED = new Set([
  'charset',
  'connect_timeout',
  'connection_limit',
  'connectionlimit',
  'connecttimeout',
  'parsetime',
  'pool_timeout',
  'readtimeout',
  'serverversion',
  'socket_timeout',
  'timezone',
  'waitforconnections',
  'writetimeout',
]);

/** Whether a URL is one of MySQL or MariaDB. */
export function isMysqlUrl(url: string): boolean {
  return /^\s*(?:mysql|mariadb):\/\//.test(url);
}

/**
 * Reads a URL of MySQL or MariaDB, strictly. Whatever it says of TLS, a server that is not on this machine is verified:
 * the password goes to nobody else. A Unix socket is named by `?socket=/path`; it becomes the connection's host.
 * @param name the input it comes from, for errors; the URL itself is never shown
 * @throws UserError with all that is wrong with it
 */
export function parseMysqlUrl(url: string, name = 'database-url'): ParsedUrl {
  const problems: Problem[] = [];
  const wrong = (message: string, remedy: string): void =>
    void problems.push({ message: `${name} ${message}`, remedy });
  const parts = FORM.exec(url.trim());
  if (!parts) {
    throw new UserError(`${name} is not the URL of a MySQL or MariaDB database`, {
      remedy: `Write it as ${EXAMPLE}; what is in user and password besides letters and digits has to be encoded: / as %2F, @ as %40.`,
    });
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
  const { socket, mode } = parametersOf(search, decoded, wrong);
  const [, rawUser = '', rawPassword = ''] = /^([^:]*):?([^]*)$/.exec(who) ?? [];
  const user = decoded(rawUser, 'user');
  const password = decoded(rawPassword, 'password');
  const database = decoded(path, 'database');
  if (user === '') wrong('names no user', `Write it as ${EXAMPLE}.`);
  if (database === '') wrong('names no database', `Write it as ${EXAMPLE}.`);
  const { host, port } = socket === undefined ? serverOf(where, wrong) : { host: socket, port: 3306 };
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const unprintable = [user, password, database, host].some((part) => /[\u0000-\u001f\u007f]/.test(part));
  if (unprintable) wrong('has a control character in it', 'Take it out, encoded ones such as %00 and %0A too.');
  const isVerified = mode?.startsWith('verify') === true;
  const tls = isLocal(host) && !isVerified && mode !== 'required' ? 'off' : 'verify';
  if (tls === 'verify' && isIP(host) !== 0) {
    wrong('names an address, and a certificate is for a name', 'Give the host name that the certificate has.');
  }
  if (problems.length > 0) throw UserError.all(problems, `${name} cannot be used`);
  const upgraded = tls === 'verify' && mode !== undefined && !isVerified;
  return { connection: { host, port, user, password, database, tls }, upgraded };
}

type Wrong = (message: string, remedy: string) => void;

function parametersOf(
  search: string,
  decoded: (text: string, what: string) => string,
  wrong: Wrong,
): { readonly socket?: string; readonly mode?: string } {
  let [socket, mode]: (string | undefined)[] = [];
  const seen = new Set<string>();
  for (const pair of search.split('&').filter(Boolean)) {
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decoded(pair.slice(0, at), 'parameter').toLowerCase();
    const value = decoded(pair.slice(at + 1), 'parameter');
    const shown = /^[\w-]{1,40}$/.test(name) ? name : 'with an odd name';
    if (seen.has(name)) wrong(`gives the parameter ${shown} twice`, 'Leave one of them out.');
    seen.add(name);
    if (name === 'socket' || name === 'socketpath' || name === 'unix_socket') {
      if (value.startsWith('/')) socket = value;
      else wrong('names a socket that is no absolute path', 'Write it as ?socket=%2Frun%2Fmysqld%2Fmysqld.sock.');
    } else if (name === 'ssl-mode' || name === 'sslmode' || name === 'ssl_mode') {
      mode = value.toLowerCase().replaceAll('-', '_');
      if (!TLS_MODES.includes(mode)) wrong(`has an unknown ${shown}`, `Allowed: ${TLS_MODES.join(', ')}.`);
    } else if (name === 'sslaccept') mode = value === 'strict' ? 'verify_identity' : 'preferred';
    else if (name === 'tls' || name === 'ssl' || name === 'usessl') mode = value === 'false' ? 'disabled' : 'required';
    else if (name.startsWith('ssl') || name.includes('cert')) {
      wrong(`has the parameter ${shown}`, 'Name the file with the certificates to trust in the input ca.');
    } else if (name === 'multistatements' && value !== 'true') continue;
    else if (name !== 'multistatements' && !IGNORED.has(name)) {
      wrong(`has the unknown parameter ${shown}`, 'Leave it out.');
    }
  }
  return { ...(socket !== undefined && { socket }), ...(mode !== undefined && { mode }) };
}

function serverOf(where: string, wrong: Wrong): { readonly host: string; readonly port: number } {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(where);
  const port = Number(parts?.[2] ?? 3306);
  if (where === '') wrong('names no host', `Write it as ${EXAMPLE}.`);
  else if (where.includes(',')) wrong('names several hosts', 'Name the one that takes writes.');
  else if (parts === null)
    wrong('has no usable host', `Write it as ${EXAMPLE}; an IPv6 address stands between [ and ].`);
  if (port < 1 || port > 65_535) wrong('has a port that is none', 'Allowed: 1 to 65535.');
  return { host: (parts?.[1] ?? '').replaceAll(/^\[|\]$/g, ''), port };
}
