// All checks of this repository, one after the other, each even when one before it failed: whoever waited for the
// last one knows everything. The last line on screen adds them all up.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type JestReport, type Tally, jestTally, show, sum, verdict, watch } from './check.ts';
import { cache } from '../test/lab/cache.ts';
import { findPythonProgram } from '../test/lab/python.ts';
import { differences } from './trees.ts';
import { type Linter, workflowLinters } from './workflow-lint.ts';

const root = path.resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(path.join(tmpdir(), 'delivery-actions-test-'));
process.chdir(root);

const tallies: Tally[] = [
  await program('lint', 'npm', ['run', '--silent', 'lint']),
  await program('types', 'npm', ['run', '--silent', 'typecheck']),
  await jest('unit and contract tests', 'unit', []),
  await bundles(),
];
for (const linter of workflowLinters(root)) tallies.push(await lint(linter));
// As root on Debian the lab installs what it misses; elsewhere it says what to install.
process.env['LAB_INSTALL'] = '1';
// Image builds share the lab with its other tests, and nothing in it that either would disturb; tests with real tools
// need no part of it. All of them wait for downloads and disks more than they compute.
const beside = jest('tests with image builds', 'builds', ['--runInBand'], true);
tallies.push(await jest('tests with real tools', 'tools', ['--maxWorkers=3']));
tallies.push(await jest('lab tests', 'lab', ['--runInBand']), await beside);
tallies.push(await program('lab down', process.execPath, ['test/lab/cli.ts', 'down']));
rmSync(scratch, { recursive: true, force: true });

const total = sum(tallies);
process.exitCode = total.failed > 0 ? 1 : 0;
console.log(show(total));

function heading(title: string): void {
  console.log(`\n── ${title}`);
}

async function program(title: string, name: string, args: readonly string[]): Promise<Tally> {
  heading(title);
  return verdict((await watch(name, args)) === 0);
}

async function lint({ program: name, args }: Linter): Promise<Tally> {
  try {
    return await program(name, await findPythonProgram(name, cache), args);
  } catch (error) {
    heading(name);
    console.error(`${name} cannot be installed: ${error instanceof Error ? error.message : String(error)}`);
    return verdict(false);
  }
}

async function jest(title: string, project: string, args: readonly string[], later = false): Promise<Tally> {
  heading(later ? `${title}, shown at their end` : title);
  const file = path.join(scratch, `${project}.json`);
  const bin = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const exitCode = await watch(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', bin, '--selectProjects', project, ...args].concat(
      '--json',
      `--outputFile=${file}`,
    ),
    { later },
  );
  return jestTally(report(file), exitCode);
}

function report(file: string): JestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JestReport;
  } catch {
    return undefined;
  }
}

async function bundles(): Promise<Tally> {
  heading('bundle freshness');
  const fresh = path.join(scratch, 'dist');
  if ((await watch(process.execPath, ['scripts/build.ts', fresh])) !== 0) return verdict(false);
  const stale = differences(fresh, path.join(root, 'dist'));
  for (const { file, why } of stale) console.error(`dist/${file}: ${why}`);
  if (stale.length > 0) console.error('dist/ is not what src/ builds: run `npm run build` and commit dist/');
  return verdict(stale.length === 0);
}
