import { describe, expect, test } from '@jest/globals';
import { nodeVersion, nodeVersions } from '../../src/node/version.ts';
import { errorOf, inFolder } from './folder.ts';

const ENGINES = { engines: { node: '>=20' } };
const VOLTA = { volta: { node: '22.11.0' } };
const devEngines = (version: string): object => ({ devEngines: { runtime: { name: 'node', version } } });
const NEWEST = 'of which it is the newest long-term line';

describe('the Node version', () => {
  test.each<[Record<string, string | object>, string, string]>([
    [{ 'package.json': ENGINES }, '24', `\`engines.node\` in package.json (>=20), ${NEWEST}`],
    [{ 'package.json': { engines: { node: '^20 || ^22' } } }, '22', `package.json (^20 || ^22), ${NEWEST}`],
    [{ 'package.json': { engines: { node: '>=22.3 <23' } } }, '>=22.3 <23', '`engines.node` in package.json'],
    [{ 'package.json': { engines: { node: '>=25' } } }, '>=25', '`engines.node` in package.json'],
    [{ 'package.json': devEngines('^22.0.0') }, '^22.0.0', '`devEngines.runtime` in package.json'],
    [{ 'package.json': VOLTA }, '22.11.0', '`volta.node` in package.json'],
    [{ 'package.json': ENGINES, '.nvmrc': 'v22.11.0\n' }, '22.11.0', '.nvmrc'],
    [{ 'package.json': { ...VOLTA, ...ENGINES }, '.nvmrc': '22' }, '22.11.0', '`volta.node` in package.json'],
    [{ 'package.json': {}, '.node-version': '20', '.tool-versions': 'nodejs 20.1.0' }, '20.1.0', '.node-version'],
    [
      { 'package.json': {}, '.tool-versions': 'python 3.13.0\nnodejs 22.1.0 20.0.0 # both' },
      '22.1.0',
      '.tool-versions',
    ],
    [{ 'package.json': {}, 'mise.toml': '[tools]\nnode = "22.4"' }, '22.4', '`tools.node` in mise.toml'],
    [{ 'package.json': {}, '.mise.toml': '[tools]\nnode = ["22", "20"]' }, '22', '`tools.node` in .mise.toml'],
    [{ 'package.json': {}, 'mise.toml': '[tools]\nnode = { version = "prefix:20" }' }, '20', 'tools.node'],
    [{ 'package.json': {}, 'mise.toml': '[tools]\nnode = 22' }, '22', 'tools.node'],
    [{ 'package.json': {}, '.nvmrc': '\n', '.tool-versions': 'python 3.13.0' }, '24', 'the usual version'],
  ])('of %j is %s by %s', (files, range, reason) => {
    expect(inFolder(files, nodeVersion)).toEqual({ range, reason: expect.stringContaining(reason) });
  });

  test.each([
    ['lts/*', 'lts/*'],
    ['lts', 'lts/*'],
    ['lts/-1', 'lts/-1'],
    ['lts/Jod', 'lts/jod'],
    ['lts-jod', 'lts/jod'],
    ['node', 'latest'],
    ['latest', 'latest'],
  ])('%s is left to the list of releases', (value, alias) => {
    const files = { 'package.json': ENGINES, '.nvmrc': `# ours\r\n${value}\r\n` };
    expect(inFolder(files, nodeVersion)).toMatchObject({ range: '*', alias, limits: [{ value: '>=20' }] });
  });

  test('is what both places allow', () => {
    const files = { 'package.json': { engines: { node: '>=22.11' } }, '.nvmrc': '22' };
    const { range } = inFolder(files, nodeVersion);
    expect(range).toBe('>=22.0.0 <23.0.0-0 >=22.11.0');
  });

  test('is found in the nearest folder above, up to the repository root', () => {
    const files = { 'package.json': {}, '../.nvmrc': '22', '../../.nvmrc': '20', '../package.json': ENGINES };
    const read = (file: string): string | undefined => {
      const content = (files as Record<string, string | object>)[file];
      return typeof content === 'object' ? JSON.stringify(content) : content;
    };
    expect(nodeVersion(read, '', 'packages/api')).toEqual({ range: '22', reason: '../.nvmrc' });
    expect(nodeVersion(read, '', '')).toMatchObject({ range: '24' });
  });

  test('volta.extends leads to the package.json that names it, and not out of the repository', () => {
    const member = { volta: { extends: '../../package.json' } };
    const files: Record<string, object> = { 'package.json': member, '../../package.json': VOLTA };
    const read = (file: string): string | undefined => (files[file] ? JSON.stringify(files[file]) : undefined);
    expect(nodeVersion(read, '', 'packages/api').reason).toBe('`volta.node` in ../../package.json');
    expect(() => nodeVersion(read, '', 'api')).toThrow('"../../package.json", which is not there');
    files['../../package.json'] = { volta: { extends: 'package.json' } };
    expect(() => nodeVersion(read, '', 'packages/api')).toThrow('without end');
  });

  test.each([
    [{ 'package.json': ENGINES, '.nvmrc': '18.20.0' }, 'so that they agree', { file: '.nvmrc', line: 1 }],
    [{ 'package.json': VOLTA, '.nvmrc': '22.12.0' }, 'so that they agree', { file: 'package.json' }],
    [{ 'package.json': { ...ENGINES, ...devEngines('18') } }, 'so that they agree', { file: 'package.json' }],
    [{ 'package.json': {}, '.nvmrc': 'iojs' }, 'Write a version', { file: '.nvmrc', line: 1 }],
    [
      { 'package.json': {}, '.tool-versions': '\nnodejs system' },
      'Write a version',
      { file: '.tool-versions', line: 2 },
    ],
    [{ 'package.json': {}, 'mise.toml': '[tools' }, 'Mend it', { file: 'mise.toml' }],
    [{ 'package.json': { engines: { node: 'new' } } }, 'Write a version', { file: 'package.json' }],
  ])('of %j is refused with what mends it', (files, remedy, place) => {
    const error = errorOf(() => inFolder<unknown>(files, nodeVersion));
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining(remedy), place });
  });

  test('of the input is held against engines, each of a list too', () => {
    const files = { 'package.json': { engines: { node: '>=22.3' } } };
    expect(errorOf(() => inFolder(files, (read) => nodeVersion(read, '20')))).toMatchObject({
      message: 'the input `node-version` names Node 20, which `engines.node` in package.json (>=22.3) excludes.',
    });
    expect(inFolder(files, (read) => nodeVersions(read, ['22', 'lts/*']))).toHaveLength(2);
    expect(errorOf(() => inFolder(files, (read) => nodeVersions(read, ['22', '18', '20'])))).toMatchObject({
      problems: [{ message: expect.stringContaining('Node 18') }, { message: expect.stringContaining('Node 20') }],
    });
  });
});
