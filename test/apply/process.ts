import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Limits } from '../../src/apply/limits.ts';
import type { ApplyReport } from '../../src/apply/report.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Connection } from '../../src/postgres/database.ts';
import type { Script } from './scene.ts';

/** What a process that applied says at its end. */
export interface Told extends Pick<ApplyReport, 'state' | 'failure' | 'droppedIndexes'> {
  readonly applied: readonly string[];
  readonly lines: readonly string[];
}

/** A run in a process of its own. */
export interface Run {
  readonly child: ChildProcess;
  /** Its report; undefined where it was killed before. */
  readonly ended: Promise<Told | undefined>;
  /** Resolves when the moment comes for the first time. */
  reached(moment: Moment): Promise<void>;
}

/** Applies scripts in a process of its own. */
export function start(
  connection: Connection,
  scripts: readonly Script[],
  options: {
    readonly killAt?: readonly [Moment, number];
    readonly limits?: Partial<Limits>;
    /** The workspace of a Knex project that is applied in place of scripts. */
    readonly knex?: string;
  } = {},
): Run {
  const child = spawn(process.execPath, ['--no-warnings', path.join(import.meta.dirname, 'run-apply.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ connection, scripts, tell: true, ...options }));
  const lines: string[] = [];
  const waiting = new Map<string, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    waiting.get(line)?.();
  });
  const ended = new Promise<Told | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      const last = lines.at(-1);
      resolve(last?.startsWith('{') ? (JSON.parse(last) as Told) : undefined);
    });
  });
  return {
    child,
    ended,
    reached: async (moment) =>
      new Promise((resolve) => {
        if (lines.includes(`${moment} 1`)) resolve();
        else waiting.set(`${moment} 1`, resolve);
      }),
  };
}
