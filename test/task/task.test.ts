import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { type Task, runStages } from '../../src/task/task.ts';

function script(name: string, source: string): Task {
  return { name, command: [process.execPath, '-e', source] };
}

function machine(signal = new AbortController().signal) {
  const lines: string[] = [];
  const host = {
    exec: localExec(process.env, signal),
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
  };
  return { host, lines };
}

describe('stages', () => {
  test('tasks of a stage run at the same time, their lines stay together', async () => {
    const { host, lines } = machine();
    // Each waits for the other's file: one after the other they would never end.
    const folder = mkdtempSync(path.join(tmpdir(), 'task-'));
    const file = (name: string) => path.join(folder, name);
    const meet = (me: string, other: string) =>
      script(
        me,
        `const fs = require('fs'); console.log('${me} 1'); fs.writeFileSync('${file(me)}', '');
         const wait = () => fs.existsSync('${file(other)}') ? console.log('${me} 2') : setTimeout(wait, 10); wait();`,
      );
    const results = await runStages([[meet('lint', 'test'), meet('test', 'lint')]], tmpdir(), host);
    expect(results.map(({ status }) => status)).toEqual(['passed', 'passed']);
    rmSync(folder, { recursive: true });
    for (const name of ['lint', 'test']) expect(lines.indexOf(`${name} 2`)).toBe(lines.indexOf(`${name} 1`) + 1);
  }, 20_000);

  test('every fault of a stage is told, and the next stage does not run', async () => {
    const { host } = machine();
    const fail = (name: string) => script(name, `console.error('${name} is broken'); process.exit(2)`);
    const results = await runStages([[fail('lint'), fail('test')], [script('build', '')]], tmpdir(), host);
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['lint', 'failed'],
      ['test', 'failed'],
      ['build', 'not run'],
    ]);
    expect(results[0]?.tail).toBe('lint is broken');
  });

  test('a task waits for those that it names, runs where it says, and not at all where one of them failed', async () => {
    const { host } = machine();
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'task-')));
    const file = path.join(folder, 'made');
    const wait = `setTimeout(() => require('fs').writeFileSync('made', ''), 200)`;
    const results = await runStages(
      [
        [
          { ...script('reads', `require('fs').readFileSync('${file}')`), after: ['makes'] },
          { ...script('makes', wait), cwd: folder },
          script('fails', 'process.exit(1)'),
          { ...script('waits in vain', ''), after: ['makes', 'fails'] },
          { ...script('neither', ''), after: ['waits in vain'] },
        ],
      ],
      tmpdir(),
      host,
    );
    rmSync(folder, { recursive: true });
    expect(results.map(({ status }) => status)).toEqual(['passed', 'passed', 'failed', 'not run', 'not run']);
  });

  test('a program that does not exist is an error, after the others have ended', async () => {
    const { host, lines } = machine();
    const absent: Task = { name: 'lint', command: ['no-such-program-here'] };
    const slow = script('test', 'setTimeout(() => console.log("done"), 200)');
    await expect(runStages([[absent, slow]], tmpdir(), host)).rejects.toThrow('no-such-program-here could not be run');
    expect(lines).toContain('done');
  });
});

test('the last lines of a failed task stand in the order they came, whatever stream they came by', async () => {
  const { host } = machine();
  const source = `
    const { setTimeout: rest } = await import('node:timers/promises');
    for (const [stream, text] of [['stderr', 'one'], ['stdout', 'two'], ['stderr', 'three']]) {
      process[stream].write(text + '\\n');
      await rest(200);
    }
    process.exitCode = 1;`;
  const task: Task = { name: 'lint', command: [process.execPath, '--input-type=module', '-e', source] };
  const [result] = await runStages([[task]], tmpdir(), host);
  expect(result).toMatchObject({ status: 'failed', tail: 'one\ntwo\nthree' });
});
