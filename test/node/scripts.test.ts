import { describe, expect, test } from '@jest/globals';
import { readPackageJson } from '../../src/node/manifest.ts';
import { planScripts, scriptTask } from '../../src/node/scripts.ts';
import { errorOf, inFolder } from './folder.ts';

function project(...scripts: readonly string[]) {
  const files = { 'package.json': { scripts: Object.fromEntries(scripts.map((script) => [script, 'true'])) } };
  return inFolder(files, readPackageJson);
}

describe('the plan of scripts', () => {
  test('checks side by side, then builds', () => {
    const { stages, absent } = planScripts(project('build', 'test', 'typecheck', 'lint'));
    expect(stages).toEqual([['lint', 'typecheck', 'test'], ['build']]);
    expect(absent).toEqual([]);
  });

  test('leaves out what does not exist', () => {
    expect(planScripts(project('build', 'start'))).toEqual({
      stages: [['build']],
      absent: ['lint', 'typecheck', 'test'],
    });
  });

  test('does not take a property of every object for a script', () => {
    expect(() => planScripts(project(), ['constructor'])).toThrow('no script "constructor"');
  });

  test('names every script that the user asked for and that is missing', () => {
    const error = errorOf(() => planScripts(project('test'), ['e2e', 'test', 'audit']));
    expect(error).toMatchObject({
      name: 'UserError',
      problems: [
        { message: expect.stringContaining('"e2e"'), remedy: expect.stringContaining('there are: test') },
        { message: expect.stringContaining('"audit"') },
      ],
    });
  });

  test.each([
    ['npm', 'npm'],
    ['yarn-berry', 'yarn'],
    ['bun', 'bun'],
  ] as const)('%s runs a script by %s', (manager, program) => {
    expect(scriptTask(manager, 'build')).toEqual({ name: 'build', command: [program, 'run', 'build'] });
  });
});
