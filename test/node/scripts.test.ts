import { describe, expect, test } from '@jest/globals';
import { readPackageJson } from '../../src/node/manifest.ts';
import { planScripts } from '../../src/node/scripts.ts';
import { errorOf, inFolder } from './folder.ts';

function project(...scripts: readonly string[]) {
  const files = { 'package.json': { scripts: Object.fromEntries(scripts.map((script) => [script, 'true'])) } };
  return inFolder(files, readPackageJson);
}

describe('the plan of scripts', () => {
  test('checks side by side, then builds', () => {
    const { stages, absent } = planScripts(project('build', 'test', 'typecheck', 'lint'), 'npm');
    expect(stages.map((stage) => stage.map(({ script }) => script))).toEqual([
      ['lint', 'typecheck', 'test'],
      ['build'],
    ]);
    expect(absent).toEqual([]);
  });

  test('leaves out what does not exist', () => {
    expect(planScripts(project('build', 'start'), 'yarn-berry')).toEqual({
      stages: [[{ script: 'build', command: ['yarn', 'run', 'build'] }]],
      absent: ['lint', 'typecheck', 'test'],
    });
  });

  test('does not take a property of every object for a script', () => {
    expect(planScripts(project(), 'bun', ['constructor'])).toEqual({ stages: [], absent: ['constructor'] });
  });

  test('names every script that the user asked for and that is missing', () => {
    const error = errorOf(() => planScripts(project('test'), 'npm', ['e2e', 'test', 'audit'], { named: true }));
    expect(error).toMatchObject({
      name: 'UserError',
      problems: [
        { message: expect.stringContaining('"e2e"'), remedy: expect.stringContaining('there are: test') },
        { message: expect.stringContaining('"audit"') },
      ],
    });
  });
});
