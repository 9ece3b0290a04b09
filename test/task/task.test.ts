import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { type Task, type TaskOptions, runTasks } from '../../src/task/task.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'task-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, source: string, after: readonly string[] = []): Task {
  return { name, command: [process.execPath, '-e', source], after };
}

const fail = (name: string, after?: readonly string[]): Task =>
  script(name, `console.error('${name} is broken'); process.exit(2)`, after);

/** Two tasks that each wait for the other: one after the other they would never end. */
function meeting(me: string, other: string): Task {
  return script(
    me,
    `const fs = require('fs'); console.log('${me} 1'); fs.writeFileSync('${me}', '');
     const wait = () => fs.existsSync('${other}') ? console.log('${me} 2') : setTimeout(wait, 10); wait();`,
  );
}

function run(tasks: readonly Task[], options: Partial<TaskOptions> = {}) {
  const lines: string[] = [];
  const host = {
    exec: localExec(process.env, new AbortController().signal),
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
  };
  return { lines, ended: runTasks(tasks, { cwd: folder, ...options }, host) };
}

describe('tasks', () => {
  test('that do not depend on each other run at the same time, and their lines stay together', async () => {
    const { lines, ended } = run([meeting('lint', 'test'), meeting('test', 'lint')]);
    expect((await ended).map(({ status }) => status)).toEqual(['passed', 'passed']);
    for (const name of ['lint', 'test']) expect(lines.indexOf(`${name} 2`)).toBe(lines.indexOf(`${name} 1`) + 1);
  });

  test('that fail are told while others still run', async () => {
    const end = path.join(folder, 'failed');
    const waiting = script(
      'test',
      `const fs = require('fs'); setInterval(() => fs.existsSync('failed') && process.exit(0), 10)`,
    );
    const { ended } = run([waiting, fail('lint')], { onFailure: () => writeFileSync(end, ''), timeout: 10_000 });
    expect((await ended).map(({ status }) => status)).toEqual(['passed', 'failed']);
  });

  test('wait for those that they come after, and for a core', async () => {
    const note = (name: string, after?: readonly string[]): Task =>
      script(name, `require('fs').appendFileSync('log', '${name} ')`, after);
    await run([note('c', ['b']), note('b', ['a']), note('a')]).ended;
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).toBe('a b c ');
    const busy = (name: string): Task =>
      script(
        name,
        `const fs = require('fs'); if (fs.existsSync('busy')) process.exit(1); fs.writeFileSync('busy', '');
        setTimeout(() => fs.rmSync('busy'), 100)`,
      );
    const results = await run([busy('d'), busy('e'), busy('f')], { parallel: 1 }).ended;
    expect(results.map(({ status }) => status)).toEqual(['passed', 'passed', 'passed']);
  });

  test('a failure stops what comes after it, by however many steps, and nothing else', async () => {
    const results = await run([
      fail('build'),
      script('test', '', ['build']),
      script('pack', '', ['test']),
      fail('lint'),
      script('docs', 'console.log(1)', ['nothing of this run']),
    ]).ended;
    expect(results.map(({ name, status, reason }) => [name, status, reason])).toEqual([
      ['build', 'failed', undefined],
      ['test', 'not run', 'build failed'],
      ['pack', 'not run', 'build failed'],
      ['lint', 'failed', undefined],
      ['docs', 'passed', undefined],
    ]);
    expect(results[0]?.tail).toBe('build is broken');
  });

  test('one that takes too long is ended with its children, and the others are not', async () => {
    const child = "setTimeout(() => require('fs').writeFileSync('late', ''), 4000); setInterval(() => 0, 1000)";
    const hangs = script(
      'test',
      `console.log('RUNS test/slow.test.js'); require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' });
       setInterval(() => 0, 1000)`,
    );
    const { lines, ended } = run([hangs, script('lint', '')], { timeout: 1500 });
    const results = await ended;
    expect(results).toMatchObject([
      { name: 'test', status: 'failed', timedOut: true, tail: 'RUNS test/slow.test.js' },
      { name: 'lint', status: 'passed' },
    ]);
    expect(lines.join('\n')).toContain('test: ended for taking too long, after');
    await systemClock.sleep(3500);
    expect(existsSync(path.join(folder, 'late'))).toBe(false);
  });

  test('one that stands alone shows its lines as they come', async () => {
    const { lines, ended } = run([
      script('lint', "console.log('one'); setTimeout(() => 0, 700)"),
      script('test', '', ['lint']),
    ]);
    const began = Date.now();
    while (!lines.includes('one') && Date.now() - began < 5000) await systemClock.sleep(20);
    expect(lines.some((line) => line.startsWith('lint: passed'))).toBe(false);
    await ended;
  });

  test('a program that does not exist is an error, after the others have ended', async () => {
    const absent: Task = { name: 'lint', command: ['no-such-program-here'] };
    const { lines, ended } = run([absent, script('test', 'setTimeout(() => console.log("done"), 200)')]);
    await expect(ended).rejects.toThrow('no-such-program-here could not be run');
    expect(lines).toContain('done');
  });

  test('that wait for each other are refused', async () => {
    await expect(run([script('a', '', ['b']), script('b', '', ['a'])]).ended).rejects.toThrow(
      'wait for each other: a, b',
    );
  });

  test('run where they are told to', async () => {
    mkdirSync(path.join(folder, 'packages'));
    const [result] = await run([{ ...script('where', "require('fs').writeFileSync('here', '')"), cwd: 'packages' }])
      .ended;
    expect(result?.status).toBe('passed');
    expect(existsSync(path.join(folder, 'packages', 'here'))).toBe(true);
  });
});

test('the last lines of a failed task stand in the order they came, whatever stream they came by', async () => {
  const source = `
    const { setTimeout: rest } = await import('node:timers/promises');
    for (const [stream, text] of [['stderr', 'one'], ['stdout', 'two'], ['stderr', 'three']]) {
      process[stream].write(text + '\\n');
      await rest(200);
    }
    process.exitCode = 1;`;
  const task: Task = { name: 'lint', command: [process.execPath, '--input-type=module', '-e', source] };
  const [result] = await run([task]).ended;
  expect(result).toMatchObject({ status: 'failed', tail: 'one\ntwo\nthree' });
});
