import { describe, expect, test } from '@jest/globals';
import { readPackageJson } from '../../src/node/manifest.ts';
import { planScripts, scriptTask, showOrder } from '../../src/node/scripts.ts';
import { errorOf, inFolder } from './folder.ts';

function project(...scripts: readonly string[]) {
  const files = { 'package.json': { scripts: Object.fromEntries(scripts.map((script) => [script, 'true'])) } };
  return inFolder(files, readPackageJson);
}

describe('the plan of scripts', () => {
  test('checks side by side, then builds', () => {
    const { order, absent } = planScripts(project('build', 'test', 'typecheck', 'lint'));
    expect([...order]).toEqual([
      ['lint', []],
      ['typecheck', []],
      ['test', []],
      ['build', ['lint', 'typecheck', 'test']],
    ]);
    expect(showOrder(order)).toBe('lint and typecheck and test, build after lint and typecheck and test');
    expect(absent).toEqual([]);
  });

  test('leaves out what does not exist', () => {
    expect(planScripts(project('build', 'start'))).toEqual({
      order: new Map([['build', []]]),
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
    expect(scriptTask(manager, 'build')).toMatchObject({ name: 'build', command: [program, 'run', 'build'] });
  });

  test.each([
    ['test', true],
    ['test:unit', true],
    ['lint', true],
    ['build', false],
    ['testify', false],
    ['codegen', false],
  ])('whether what the script %s leaves behind is needed later', (script, leavesNothing) => {
    expect(scriptTask('npm', script)).toMatchObject({ leavesNothing });
  });
});
