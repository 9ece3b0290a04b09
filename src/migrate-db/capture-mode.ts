import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Address } from '../migration/tool.ts';
import { findDumper } from '../keep/pg-dump.ts';
import { openRelay } from '../postgres/relay.ts';
import { upstreamOf } from '../postgres/upstream.ts';
import { historyTables } from '../rehearsal/history.ts';
import type { MigrateInputs } from './inputs.ts';
import type { CaptureOutcome } from './outcome.ts';
import { targetOf } from './reach.ts';
import type { MigrationSet } from './sets.ts';
import { writeSizes } from './sizes-file.ts';
import { survey, withSession } from './survey.ts';

const PER_MAJOR = 10_000;
/** Nothing that says who may do what, or where it lies: a rehearsal has neither these roles nor these tablespaces. */
const PLAIN = [
  '--no-owner',
  '--no-privileges',
  '--no-tablespaces',
  '--no-publications',
  '--no-subscriptions',
  '--no-security-labels',
];

/**
 * Writes production's schema for rehearsals: its definitions, and of its data only the rows by which the tools know what
 * they applied.
 * @throws UserError where pg_dump is missing, or older than the server
 */
export async function captureMode(
  given: MigrateInputs,
  sets: readonly MigrationSet[],
  host: Host,
): Promise<CaptureOutcome> {
  if (given.schema === '') {
    throw new UserError('input schema is missing', { remedy: 'Name the file to write, such as db/production.sql.' });
  }
  const source = await targetOf(given, host);
  const seen = await survey(source, sets, host);
  const tables = await withSession(source, host, async (session) => {
    const found: string[] = [];
    for (const { tool, found: where, migrations } of sets) {
      found.push(...(await historyTables(session, tool, where, migrations)));
    }
    return found;
  });
  const relay = await openRelay(upstreamOf(await source(), host.signal), {});
  try {
    const dump = await dumper(given, Math.floor(seen.server.version / PER_MAJOR), relay.address, host);
    const schema = await dump(['--schema-only', ...PLAIN]);
    const rows =
      tables.length === 0 ? '' : await dump(['--data-only', '--inserts', ...tables.map((one) => `--table=${one}`)]);
    const file = path.join(host.info.workspace, given.schema);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `${schema}\n${rows}`);
  } finally {
    await relay.close();
  }
  await writeSizes(given, seen.sizes, host);
  return { mode: 'capture-schema', file: given.schema, sizes: given.sizes, survey: seen, history: tables };
}

async function dumper(
  { postgresVersion }: MigrateInputs,
  major: number,
  address: Address,
  host: Host,
): Promise<(args: readonly string[]) => Promise<string>> {
  const dumper = await findDumper(postgresVersion === '' ? major : Number(postgresVersion), address, host);
  return async (args) => {
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    await dumper.run('pg_dump', [...args, '--encoding=UTF8', '--lock-wait-timeout=5s'], { onLine });
    return `${lines.filter((line) => !/^\\(un)?restrict\b/.test(line)).join('\n')}\n`;
  };
}
