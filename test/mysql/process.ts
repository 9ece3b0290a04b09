import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Limits } from '../../src/apply/limits.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import type { ApplyReport } from '../../src/apply/report.ts';
import type { Connection } from '../../src/postgres/database.ts';
import type { Script } from './scene.ts';

export type Told = Pick<ApplyReport, 'state' | 'failure'> & { readonly lines: readonly string[] };

/** Applies scripts in a process of its own; `ended` is its report, or undefined where it was killed before. */
export function start(
  connection: Connection,
  scripts: readonly Script[],
  options: { readonly killAt?: readonly [Moment, number]; readonly limits?: Partial<Limits> } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Told | undefined> } {
  const child = spawn(process.execPath, ['--no-warnings', path.join(import.meta.dirname, 'run-apply.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ connection, scripts, ...options }));
  const said = text(child.stdout);
  const closed = new Promise((resolve, reject) => void child.once('error', reject).once('close', resolve));
  return {
    child,
    ended: closed.then(async () => {
      const last = await said;
      return last === '' ? undefined : (JSON.parse(last) as Told);
    }),
  };
}
