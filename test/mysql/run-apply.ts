// Applies scripts in a process of its own, which a test may kill: what to do comes as JSON on standard input.
import { text } from 'node:stream/consumers';
import type { Limits } from '../../src/apply/limits.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { type Script, apply } from './scene.ts';

interface Task {
  readonly connection: Connection;
  readonly scripts: readonly Script[];
  readonly limits?: Partial<Limits>;
  /** The moment at which this process kills itself, and the how manieth time it comes. */
  readonly killAt?: readonly [Moment, number];
}

const { connection, scripts, limits, killAt }: Task = JSON.parse(await text(process.stdin)) as Task;
const seen = new Map<Moment, number>();
const report = await apply(connection, scripts, {
  ...(limits && { limits }),
  moment(moment) {
    const count = (seen.get(moment) ?? 0) + 1;
    seen.set(moment, count);
    if (killAt?.[0] === moment && killAt[1] === count) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(JSON.stringify({ state: report.state, failure: report.failure, lines: report.lines }));
