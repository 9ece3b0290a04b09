import { describe, expect, test } from '@jest/globals';
import { inRange, newestIn, pythonRange } from '../../src/python/version.ts';
import { errorOf } from '../node/folder.ts';

type Files = Readonly<Record<string, string>>;

const range = (files: Files, wanted?: string) => pythonRange((file) => files[file], wanted);
const requires = (text: string): Files => ({ 'pyproject.toml': `[project]\nrequires-python = "${text}"\n` });
const KNOWN = ['2.7.18', '3.9.18', '3.10.13', '3.11.7', '3.12.1', '3.12.8', '3.13.0', '3.14.0', '3.15.0a2'];

describe('the Python of a project', () => {
  test.each<[string, Files, string, string]>([
    ['nothing said', {}, '3.14.0', 'the newest there is, as the project names none'],
    ['requires-python', requires('>=3.11,<3.14'), '3.13.0', '>=3.11,<3.14 (`requires-python`)'],
    ['requires-python with ~=', requires('~=3.12.0'), '3.12.8', '~=3.12.0 (`requires-python`)'],
    [
      'requires-python with !=',
      requires('>=3.9,!=3.14.*,!=3.13.0'),
      '3.12.8',
      '>=3.9,!=3.14.*,!=3.13.0 (`requires-python`)',
    ],
    [
      'the intersection with .python-version',
      { ...requires('>=3.10'), '.python-version': '# ours\n3.12\n' },
      '3.12.8',
      '>=3.10 (`requires-python`) and 3.12 (.python-version)',
    ],
    ['an exact .python-version', { '.python-version': '3.12.1\n3.11.7\n' }, '3.12.1', '3.12.1 (.python-version)'],
    ['.tool-versions', { '.tool-versions': 'nodejs 24\npython 3.11.7 3.10.1' }, '3.11.7', '3.11.7 (.tool-versions)'],
    [
      '.tool-versions of the system',
      { '.tool-versions': 'python system' },
      '3.14.0',
      'the newest there is, as the project names none',
    ],
    ['mise.toml', { 'mise.toml': '[tools]\npython = ["3.12", "3.11"]' }, '3.12.8', '3.12 (mise.toml)'],
    ['mise.toml with options', { '.mise.toml': '[tools.python]\nversion = "3.11"' }, '3.11.7', '3.11 (.mise.toml)'],
    [
      'the Pipfile',
      { Pipfile: '[requires]\npython_version = "3.11"' },
      '3.11.7',
      '3.11 (`python_version` in the Pipfile)',
    ],
    ['runtime.txt', { 'runtime.txt': 'python-3.10.13\n' }, '3.10.13', 'python-3.10.13 (runtime.txt)'],
    [
      "poetry's caret",
      { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"' },
      '3.14.0',
      '^3.11 ([tool.poetry.dependencies])',
    ],
    ['setup.cfg', { 'setup.cfg': '[options]\npython_requires = <3.12' }, '3.11.7', '<3.12 (`python_requires`)'],
    ['a pre-release that is named', { '.python-version': '3.15.0a2' }, '3.15.0a2', '3.15.0a2 (.python-version)'],
  ])('%s', (_, files, newest, reason) => {
    const found = range(files);
    expect([newestIn(KNOWN, found), found.reason]).toEqual([newest, reason]);
  });

  test('the input takes the place of what names a version, within what the project allows', () => {
    const files = { ...requires('>=3.10'), '.python-version': '3.12' };
    expect(newestIn(KNOWN, range(files, '3.11'))).toBe('3.11.7');
    expect(newestIn(KNOWN, range(files, '>=3.11,<3.13'))).toBe('3.12.8');
    expect(() => range(files, '3.9')).toThrow('No Python fulfils both');
  });

  test('a pre-release is never taken unasked', () => {
    expect(inRange('3.15.0a2', range(requires('>=3.14')))).toBe(false);
  });

  test.each<[Files, readonly string[], object]>([
    [
      { ...requires('>=3.12'), '.python-version': '3.11' },
      ['`requires-python` says >=3.12 (pyproject.toml:2)', '.python-version says 3.11 (.python-version:1)'],
      { file: '.python-version', line: 1 },
    ],
    [
      { '.tool-versions': '\npython 3.11.2', 'runtime.txt': 'python-3.11.4' },
      ['.tool-versions says 3.11.2 (.tool-versions:2)', 'runtime.txt says python-3.11.4 (runtime.txt:1)'],
      { file: 'runtime.txt', line: 1 },
    ],
    [
      { 'pyproject.toml': '[project]\nrequires-python = ">=3.13"\n[tool.poetry.dependencies]\npython = "~3.12"' },
      ['>=3.13 (pyproject.toml:2)', '~3.12 (pyproject.toml:4)'],
      { file: 'pyproject.toml', line: 4 },
    ],
  ])('a contradiction in %j names both places', (files, parts, place) => {
    const error = errorOf(() => range(files)) as Error;
    for (const part of parts) expect(error.message).toContain(part);
    expect(error).toMatchObject({ name: 'UserError', place });
  });

  test('three that exclude each other only together are told too', () => {
    const files = { ...requires('!=3.11.*'), '.python-version': '3', Pipfile: '[requires]\npython_version = "3.11"' };
    expect(() => range(files)).toThrow('3.11');
    const three = {
      'pyproject.toml': '[project]\nrequires-python = ">=3.12"\n[tool.poetry.dependencies]\npython = "<3.12 || >=3.13"',
      'setup.cfg': '[options]\npython_requires = <3.13',
    };
    expect(() => range(three)).toThrow('No Python fulfils all of >=3.12 (pyproject.toml:2)');
  });

  test.each<[Files, object]>([
    [{ '.python-version': 'pypy3.10' }, { file: '.python-version', line: 1 }],
    [{ '.python-version': '3.13t' }, { file: '.python-version', line: 1 }],
    [requires('^3.11'), { file: 'pyproject.toml', line: 2 }],
    [{ 'mise.toml': '[tools]\npython = "newest"' }, { file: 'mise.toml', line: 2 }],
  ])('%j is no version', (files, place) => {
    expect(errorOf(() => range(files))).toMatchObject({
      message: expect.stringContaining('no version of CPython'),
      place,
    });
  });
});
