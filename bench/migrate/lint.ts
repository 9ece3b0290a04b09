// Cold whole processes of the linter and of squawk on the same files, round by round, so that what else the machine does
// meets both alike.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundle } from '../../scripts/bundle.ts';
import { cache } from '../../test/lab/cache.ts';
import { findPythonProgram } from '../../test/lab/python.ts';
import { median } from '../cold-start.ts';
import { manyFiles, manyStatements } from './scripts.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 11);
const TARGET = 3;

/** Measures and prints a table. */
export async function benchLint(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-lint-'));
  try {
    const squawk = await findPythonProgram('squawk', cache);
    await bundle({ 'lint/index': 'bench/migrate/lint-entry.ts' }, path.join(folder, 'dist'));
    const ours = path.join(folder, 'dist', 'lint', 'index.js');
    writeFileSync(path.join(folder, 'dist', 'package.json'), '{"type":"module"}\n');
    console.log(`lint, cold whole process, medians of ${ROUNDS} rounds in one run\n`);
    console.log(row(['what', 'squawk', 'ours', 'ratio', 'target']));
    for (const [name, scripts] of [
      ['500 files', manyFiles(500)],
      ['1 file, 1,000 statements', [manyStatements(1000)]],
    ] as const) {
      const files = written(path.join(folder, name.replaceAll(/\W+/g, '-')), scripts);
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        times[0].push(await timed(squawk, ['--assume-in-transaction', ...files]));
        times[1].push(await timed(process.execPath, [ours, ...files]));
      }
      const [theirs, own] = [median(times[0]), median(times[1])];
      const verdict = `<= ${TARGET}: ${own / theirs <= TARGET ? 'met' : 'MISSED'}`;
      console.log(row([name, ms(theirs), ms(own), (own / theirs).toFixed(2), verdict]));
    }
    console.log(row(['no file at all', '', ms(await nothing(ours)), '', 'the parser is not loaded']));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function nothing(program: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timed(process.execPath, [program]));
  return median(times);
}

function written(folder: string, scripts: readonly string[]): readonly string[] {
  mkdirSync(folder);
  return scripts.map((sql, at) => {
    const file = path.join(folder, `${String(at).padStart(4, '0')}.sql`);
    writeFileSync(file, sql);
    return file;
  });
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    // Both say a lot, and squawk exits with 1 when it does.
    execFile(program, args, { maxBuffer: 256 * 1024 * 1024 }, (error) =>
      error && error.code !== 1 ? reject(error) : resolve(),
    );
  });
  return performance.now() - began;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, at) => cell.padEnd([28, 10, 10, 8][at] ?? 0))
    .join('')
    .trimEnd();
}
