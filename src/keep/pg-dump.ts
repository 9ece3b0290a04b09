import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { inheritable } from '../action/exec.ts';
import type { Host } from '../action/host.ts';
import { toolEnvironment } from '../migration/address.ts';
import type { Address } from '../postgres/address.ts';
import { findPrograms, majorOf } from '../postgres/binaries.ts';

/** The clients of PostgreSQL that are as old as a server, or newer. */
export interface Dumper {
  /** Of pg_dump, such as 16. */
  readonly major: number;
  /** Runs `pg_dump` or `pg_restore` against the address. @throws UserError with what it says where it fails */
  run(program: 'pg_dump' | 'pg_restore', args: readonly string[], options?: DumpOptions): Promise<void>;
}

export interface DumpOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly onLine?: (line: string) => void;
}

const TIMEOUT_MS = 600_000;

/**
 * Finds the pg_dump that fits a server: of its own major version, else the next newer one, as a dump is to be read by
 * the same server again.
 * @param address of a relay: its password goes by the environment, and the server's own is not told to programs at all
 * @throws UserError where there is none, or older ones alone
 */
export async function findDumper(major: number, address: Address, host: Pick<Host, 'env' | 'exec'>): Promise<Dumper> {
  const found = await findPrograms(host.env, 'pg_dump');
  const fits = found
    .filter(({ version }) => majorOf(version) >= major)
    .toSorted((a, b) => majorOf(a.version) - majorOf(b.version) || b.version - a.version)[0];
  if (fits === undefined) {
    const there = [...new Set(found.map(({ version }) => majorOf(version)))].join(', ');
    throw new UserError(
      there === ''
        ? 'pg_dump is not installed on this runner'
        : `pg_dump of this runner is of version ${there}, which is older than the server (${major})`,
      { remedy: `Install postgresql-client-${major} on the runner, as by apt-get, before this step.` },
    );
  }
  return {
    major: majorOf(fits.version),
    async run(program, args, { timeout = TIMEOUT_MS, onLine } = {}) {
      const { exitCode, stderr, timedOut } = await host.exec.run(path.join(fits.folder, program), args, {
        env: toolEnvironment(inheritable(host.env), address, {}),
        timeout,
        onLine: (line, stream) => void (stream === 'stdout' && onLine?.(line)),
      });
      if (exitCode === 0) return;
      if (timedOut === true) {
        throw new UserError(`${program} did not end within ${Math.round(timeout / 1000)} s`, {
          remedy: 'Raise backup-timeout, or take a snapshot of the database: a dump is for small ones.',
        });
      }
      throw new UserError(`${program} failed: ${stderr.trim().split('\n').slice(-3).join(' ')}`, {
        remedy: 'The role needs to read all tables (GRANT pg_read_all_data), as pg_dump locks each for a moment.',
      });
    },
  };
}
