import { describe, expect, test } from '@jest/globals';
import { orderScripts } from '../../src/node/script-order.ts';

function order(scripts: Readonly<Record<string, string>>) {
  const names = Object.keys(scripts).filter((name) => !/^(pre|post)/.test(name));
  return Object.fromEntries(orderScripts(names, { build: 'vite build', ...scripts }));
}

describe('the order of scripts', () => {
  test('the tests come before the build, as both read and write the same folder', () => {
    expect(order({ test: 'jest', build: 'tsc' })).toEqual({ test: [], build: ['test'] });
  });

  test.each([
    ['oxlint'],
    ['eslint src test'],
    ['tsc --noEmit'],
    ['vue-tsc -p . --noEmit'],
    ['prettier --check src && oxlint'],
    ['biome check src'],
  ])('beside the build runs what looks at sources alone: %s', (lint) => {
    expect(order({ lint, build: 'tsc' })).toEqual({ lint: [], build: [] });
  });

  test.each([
    ['eslint .'],
    ['eslint'],
    ['tsc'],
    ['prettier --check .'],
    ['eslint "**/*.js"'],
    ['node scripts/check.js'],
  ])('before the build runs what may look at its output: %s', (lint) => {
    expect(order({ lint, build: 'tsc' })).toEqual({ lint: [], build: ['lint'] });
  });

  test.each([
    [{ test: 'node --test dist/' }],
    [{ test: 'mocha build/test' }],
    [{ pretest: 'npm run build', test: 'mocha' }],
    [{ test: 'node ./dist/check.js' }],
    [{ test: 'yarn build && jest' }],
    [{ test: 'API=out/api.js jest' }],
  ])('after the build runs what names or makes its output: %j', (scripts) => {
    expect(order({ build: 'tsc', ...scripts })).toMatchObject({ build: [], test: ['build'] });
  });

  test.each([
    ['jest --testPathIgnorePatterns=dist'],
    ['jest --testPathIgnorePatterns dist'],
    ['vitest --exclude dist'],
    ['node build.js'],
  ])('what leaves the output out, or is only called alike, does not wait for it: %s', (script) => {
    expect(order({ build: 'tsc', test: script })).toEqual({ build: ['test'], test: [] });
  });

  test('without a build, nothing waits', () => {
    expect(order({ lint: 'eslint .', test: 'jest' })).toEqual({ lint: [], test: [] });
  });
});
