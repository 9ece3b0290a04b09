import { describe, expect, test } from '@jest/globals';
import { nodeVersion } from '../../src/node/version.ts';
import { errorOf, inFolder } from './folder.ts';

const ENGINES = { engines: { node: '>=20' } };

describe('the Node version', () => {
  test.each([
    [{ 'package.json': ENGINES }, '>=20', '`engines.node` in package.json'],
    [{ 'package.json': ENGINES, '.nvmrc': 'v22.11.0\n' }, '22.11.0', '.nvmrc'],
    [{ 'package.json': {}, '.nvmrc': '# ours\r\nlts/Jod\r\n' }, '22', '.nvmrc'],
    [{ 'package.json': {}, '.node-version': '20', '.tool-versions': 'nodejs 22.0.0' }, '20', '.node-version'],
    [
      { 'package.json': {}, '.tool-versions': 'python 3.13.0\nnodejs 22.1.0 20.0.0 # both' },
      '22.1.0',
      '.tool-versions',
    ],
    [
      { 'package.json': {}, '.nvmrc': '\n', '.tool-versions': 'python 3.13.0' },
      '24',
      'the usual version, as the project names none',
    ],
  ])('of %j is %s by %s', (files, range, reason) => {
    expect(inFolder(files, nodeVersion)).toEqual({ range, reason });
  });

  test.each([
    [{ 'package.json': ENGINES, '.nvmrc': '18.20.0' }, 'so that they agree', { file: '.nvmrc', line: 1 }],
    [{ 'package.json': {}, '.nvmrc': 'lts/*' }, 'Write a version', { file: '.nvmrc', line: 1 }],
    [
      { 'package.json': {}, '.tool-versions': '\nnodejs system' },
      'Write a version',
      { file: '.tool-versions', line: 2 },
    ],
    [{ 'package.json': { engines: { node: 'new' } } }, 'Write a version', { file: 'package.json' }],
  ])('of %j is refused with what mends it', (files, remedy, place) => {
    const error = errorOf(() => inFolder<unknown>(files, nodeVersion));
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining(remedy), place });
  });
});
