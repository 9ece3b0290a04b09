import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { StreamedBody } from '../aws/rest.ts';
import { majorOf } from '../postgres/binaries.ts';
import { connect } from '../postgres/connect.ts';
import type { Connection } from '../postgres/database.ts';
import { type Dumper, findDumper } from './pg-dump.ts';
import { openRelay } from '../postgres/relay.ts';
import { upstreamOf } from '../postgres/upstream.ts';

/** A dump on this machine, whose content was looked at: it is there while it is used. */
export interface Dump {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** As the database is called. */
  readonly database: string;
}

/** S3 takes 5 GiB in one request (PutObject), and a runner's disk holds little more. */
const MAX_DUMP = 5 * 1024 ** 3;
/** What a database may have for a dump to be worth trying; compressed it is a fraction of that. */
const MAX_DATABASE = 20 * 1024 ** 3;
const GIB = 1024 ** 3;

/**
 * Dumps a database by pg_dump in its compressed form, and reads it back.
 * @param timeout milliseconds
 * @throws UserError where the database is too large for that, no fitting pg_dump is here, or it fails
 */
export async function withDump<T>(
  connection: Connection,
  timeout: number,
  host: Host,
  use: (dump: Dump) => Promise<T>,
): Promise<T> {
  const version = await checkSize(connection, host);
  const temp = host.info.temp || tmpdir();
  await mkdir(temp, { recursive: true });
  const folder = await mkdtemp(path.join(temp, 'backup-'));
  const relay = await openRelay(upstreamOf(connection, host.signal), {});
  try {
    const dumper = await findDumper(majorOf(version), relay.address, host);
    const file = path.join(folder, `${fileName(connection.database)}.dump`);
    const { database } = connection;
    await host.log.group(`pg_dump ${dumper.major} of ${database}`, async () => dumpTo(file, dumper, timeout, host));
    const { size } = await stat(file);
    if (size > MAX_DUMP) throw tooLarge(`The dump of ${database} has ${gib(size)}`, MAX_DUMP);
    return await use({ path: file, bytes: size, sha256: await sumOf(file), database });
  } finally {
    await relay.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function dumpTo(file: string, dumper: Dumper, timeout: number, { log, clock }: Host): Promise<void> {
  const began = clock.now();
  await dumper.run('pg_dump', ['--format=custom', `--file=${file}`, '--lock-wait-timeout=30s'], { timeout });
  // Its table of contents, without which nothing comes back.
  let entries = 0;
  await dumper.run('pg_restore', ['--list', file], {
    timeout,
    onLine: (line) => void (entries += Number(/^\d/.test(line))),
  });
  log.info(`${entries} objects after ${Math.round((clock.now() - began) / 1000)} s`);
}

async function checkSize(connection: Connection, { signal, clock }: Host): Promise<number> {
  const session = await connect(connection, { signal, clock, applicationName: 'delivery-actions migrate-db' });
  try {
    const [row] = await session.query('SELECT pg_database_size(current_database())::float8 AS bytes');
    const bytes = Number(row?.['bytes']);
    if (bytes > MAX_DATABASE) throw tooLarge(`The database ${connection.database} has ${gib(bytes)}`, MAX_DATABASE);
    return session.version;
  } finally {
    await session.close();
  }
}

function tooLarge(what: string, limit: number): UserError {
  return new UserError(`${what}, and backup: pg_dump takes up to ${gib(limit)}`, {
    remedy: 'Take a snapshot, as by snapshot: rds:<instance>. Nothing was migrated.',
  });
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

/** The dump as a body that S3 may be sent more than once. */
export function bodyOf({ path: file, bytes, sha256 }: Dump): StreamedBody {
  return { bytes, sha256, open: () => createReadStream(file) as AsyncIterable<Buffer> };
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/** A database's name as part of a file's name, an address and a shell command. */
export function fileName(database: string): string {
  return database.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 60);
}

/** The commands that bring a dump back, beside the database that is there; moving the service over is for people. */
export function restoreCommands(fetch: string, file: string, database: string): string {
  const beside = `${fileName(database)}_before`;
  return [
    fetch,
    '# with PGHOST, PGUSER and PGPASSWORD of the server',
    `createdb ${beside}`,
    `pg_restore --dbname=${beside} --exit-on-error ${file}`,
  ].join('\n');
}
