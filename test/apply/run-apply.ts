// Applies scripts in a process of its own, which a test may kill: what to do comes as JSON on standard input.
import { text } from 'node:stream/consumers';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Limits } from '../../src/apply/limits.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { knex } from '../../src/migration/tools/knex.ts';
import { found } from './knex-project.ts';
import { type Script, apply } from './scene.ts';

interface Task {
  readonly connection: Connection;
  readonly scripts: readonly Script[];
  readonly limits?: Partial<Limits>;
  /** The workspace of a Knex project that is applied in place of scripts. */
  readonly knex?: string;
  /** The moment at which this process kills itself, and the how manieth time it comes. */
  readonly killAt?: readonly [Moment, number];
  /** It writes each moment on a line of its own. */
  readonly tell?: boolean;
}

const {
  connection,
  scripts,
  limits,
  knex: workspace,
  killAt,
  tell,
}: Task = JSON.parse(await text(process.stdin)) as Task;
const seen = new Map<Moment, number>();
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('cancelled by SIGTERM')));
const migrations = workspace === undefined ? [] : await knex.read(found, workspace);
const report = await apply(connection, scripts, {
  ...(limits && { limits }),
  ...(workspace !== undefined && { tool: knex, found, migrations, pending: migrations, workspace }),
  signal: stop.signal,
  moment(moment) {
    const count = (seen.get(moment) ?? 0) + 1;
    seen.set(moment, count);
    if (tell) process.stdout.write(`${moment} ${count}\n`);
    if (killAt?.[0] === moment && killAt[1] === count) process.kill(process.pid, 'SIGKILL');
  },
});
const { state, failure, applied, droppedIndexes, lines } = report;
process.stdout.write(
  `${JSON.stringify({ state, failure, applied: applied.map(({ migration }) => migration.id), droppedIndexes, lines })}\n`,
);
