import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { fetchPackage } from '../node/fetch-package.ts';
import { findTool, keepTool } from '../node/tool-folder.ts';
import type { Connection } from './database.ts';
import { PgliteProcess } from './pglite-process.ts';
import { PgliteSession } from './pglite-session.ts';
import { type Relay, openRelay } from './relay.ts';
import type { ShadowServer } from './shadow-server.ts';

type PgliteHost = Pick<Host, 'env' | 'exec' | 'log' | 'clock' | 'signal' | 'info'>;

const MODULE = '@electric-sql/pglite';
const VERSION = '0.5.16';
/** SHA-512 of the package in the registry. */
const SHA512 =
  '363f0a708b092fbe3c5b8d3c53637cab8fbd22538d76944853c309ca920000834c2799ea2b2aa95fb32083fe572a45e20226f702864647a86724596b94b06b72';
/** `server_version_num` of the PostgreSQL in that version. */
const SERVER_VERSION = 180_006;
/** As its timers do not run while a statement does, `statement_timeout` ends none there: the process is ended. */
const STATEMENT_SECONDS = 120;

/** What a server says of itself to a client that it let in. */
const PARAMETERS = [
  ['server_version', '18.6'],
  ['server_encoding', 'UTF8'],
  ['client_encoding', 'UTF8'],
  ['DateStyle', 'ISO, MDY'],
  ['IntervalStyle', 'postgres'],
  ['integer_datetimes', 'on'],
  ['is_superuser', 'on'],
  ['session_authorization', 'postgres'],
  ['standard_conforming_strings', 'on'],
  ['TimeZone', 'UTC'],
] as const;

/**
 * PostgreSQL as wasm, where no other is to be had: brought from the registry once, checked by its SHA-512. Each database
 * is one of its own process, with one session at a time.
 * @throws UserError where the registry does not give it
 */
export async function startPglite(host: PgliteHost, statementSeconds = STATEMENT_SECONDS): Promise<ShadowServer> {
  const entry = pathToFileURL(path.join(await bring(host), 'dist', 'index.js')).href;
  const running: { readonly database: PgliteProcess; readonly relay: Relay }[] = [];
  return {
    kind: 'pglite',
    version: SERVER_VERSION,
    async createDatabase(): Promise<Connection> {
      host.signal.throwIfAborted();
      const database = await PgliteProcess.start(entry, statementSeconds);
      const relay = await openRelay(sourceOf(database), {});
      running.push({ database, relay });
      return { ...relay.address, tls: 'off' };
    },
    async stop() {
      for (const { database, relay } of running.splice(0)) {
        await database.stop();
        await relay.close();
      }
    },
  };
}

function sourceOf(database: PgliteProcess): Parameters<typeof openRelay>[0] {
  let pid = 0;
  return {
    user: 'postgres',
    database: 'postgres',
    open: async () => {
      pid += 1;
      return {
        stream: new PgliteSession(database),
        parameters: PARAMETERS,
        key: { pid, secret: 0 },
        rest: Buffer.alloc(0),
      };
    },
    cancel: async () => undefined,
  };
}

/** @returns the folder of the package */
async function bring(host: PgliteHost): Promise<string> {
  const name = 'pglite';
  const kept = findTool(name, VERSION, host);
  if (kept !== undefined) return path.join(kept.folder, 'package');
  await mkdir(host.info.temp, { recursive: true });
  const temp = await mkdtemp(path.join(host.info.temp, 'pglite-'));
  try {
    await writeFile(path.join(temp, 'package.json'), '{}');
    const hash = { algorithm: 'sha512', hex: SHA512 } as const;
    const reason = 'to rehearse without a PostgreSQL server';
    const { file } = await fetchPackage({ module: MODULE, range: VERSION, hash, temp, reason }, host);
    const folder = await keepTool(name, VERSION, host, async (into) => {
      const { exitCode, stderr } = await host.exec.run('tar', ['-xzf', file, '-C', into, '--no-same-owner']);
      if (exitCode !== 0) throw new UserError(`PGlite cannot be unpacked: ${stderr.trim().slice(-500)}`);
    });
    return path.join(folder, 'package');
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}
