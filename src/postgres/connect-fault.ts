import { UserError, messageOf } from '../action/errors.ts';
import type { Connection } from './database.ts';

/** EMFILE-like codes of this machine's sockets are no SQLSTATE, yet some have five characters: EPIPE. */
const PASSING_SOCKETS = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT)$/;
/** too_many_connections, cannot_connect_now, admin_shutdown, crash_shutdown. */
const PASSING_STATES = /^(53300|57P03|57P01|57P02)$/;

/** Whether a server may let us in a little later: it starts, restarts, is full, or could not be reached. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (PASSING_SOCKETS.test(code) || PASSING_STATES.test(code)) return true;
  return /timeout expired|Connection terminated/.test(messageOf(error));
}

/** Why a session could not be opened, and what to do; the password never stands in it. */
export function connectFault(connection: Connection, cause: unknown): UserError {
  const { host, port, user, database } = connection;
  const where = host.startsWith('/') ? `${host} (port ${port})` : `${host}:${port}`;
  const [why, remedy] = reason(connection, cause);
  const message = `The database ${database} on ${where} cannot be reached as ${user}: ${why}`;
  return new UserError(message, { remedy, cause });
}

function reason({ host, user, database, ca }: Connection, error: unknown): readonly [string, string] {
  const code = codeOf(error);
  const words = messageOf(error).slice(0, 500);
  switch (code) {
    case '28P01':
    case '28000':
      return [
        words,
        'Check user and password, and that pg_hba.conf (for IAM: GRANT rds_iam) lets the user in over TLS.',
      ];
    case '3D000':
      return [words, 'Check the name of the database, or have it created.'];
    case '42501':
      return [words, `GRANT CONNECT ON DATABASE ${database} TO ${user}.`];
    case '53300':
      return [
        `it has no connection free (${words})`,
        'Run it again when there is less load, raise max_connections, or keep some for this role: superuser_reserved_connections, or reserved_connections from PostgreSQL 16.',
      ];
    case '57P03':
      return [words, 'The server starts, stops or recovers: run it again once it is up.'];
    case 'ENOTFOUND':
      return [
        `the name ${host} is not known`,
        'Check the host; names of private zones are known only in their network: run-in: kubernetes runs there.',
      ];
    case 'CERT_HAS_EXPIRED':
      return [
        'its certificate has expired',
        'Have the certificate renewed (on RDS: change the instance to a newer CA).',
      ];
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return [
        `its certificate is for another name (${words})`,
        'Give the host name that the certificate has; on RDS that is the endpoint, not a name of your own that points to it.',
      ];
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return [
        `its certificate is signed by nobody that is trusted here (${words})`,
        `Name a file with the certificate of its CA in the input ca-file${ca === undefined ? '' : '; the one given there did not sign it'}.`,
      ];
    default:
  }
  if (words.includes('does not support SSL')) {
    return [
      'it offers no TLS, and a password goes to no other server unprotected',
      'Switch on ssl in postgresql.conf.',
    ];
  }
  if (/^\d|^[A-Z]\d/.test(code)) return [words, 'See what the server says.'];
  return [
    /timeout expired/.test(words) ? 'no answer in time' : words,
    'Check host and port, and that its security group or firewall lets this runner in; where it may not, run-in: kubernetes runs in the cluster.',
  ];
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
