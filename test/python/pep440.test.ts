import { describe, expect, test } from '@jest/globals';
import { compareVersions, parseSpecifiers, parseVersion, satisfies, showVersion } from '../../src/python/pep440.ts';
import { parsePoetryRange } from '../../src/python/poetry-range.ts';

const version = (text: string) => {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
};

describe('versions by PEP 440', () => {
  test('are in the order that the PEP gives', () => {
    const ordered =
      '1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1.10 1!0.1'.split(
        ' ',
      );
    const shuffled = [...ordered].toReversed().map(version);
    expect(shuffled.toSorted(compareVersions).map(showVersion)).toEqual(ordered);
  });

  test.each([
    ['v1.0', '1.0'],
    ['1.1RC1', '1.1rc1'],
    ['1.1-alpha.1', '1.1a1'],
    ['1.1.preview', '1.1rc0'],
    ['1.2-1', '1.2.post1'],
    ['1.2.rev4', '1.2.post4'],
    ['1.2_dev', '1.2.dev0'],
    ['1.0+ubuntu-1', '1.0+ubuntu.1'],
    ['001.02', '1.2'],
  ])('%s is the same as %s', (text, normal) => {
    expect(showVersion(version(text))).toBe(normal);
  });

  test.each(['', 'x', '1.', '1..2', '1.0-', '1.0+', '3.12t', `1.${'1'.repeat(300)}`])('%s is none', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  test('trailing zeros do not count', () => {
    expect(compareVersions(version('3.12'), version('3.12.0'))).toBe(0);
  });
});

describe('specifiers by PEP 440', () => {
  test.each([
    ['~=2.2', ['2.2', '2.9', '2.2.post3'], ['2.1', '3.0', '2.2rc1']],
    ['~=1.4.5', ['1.4.5', '1.4.9'], ['1.5', '1.4.4']],
    ['~=2.2.0', ['2.2.1'], ['2.3']],
    ['==1.1', ['1.1', '1.1.0', '1.1+local'], ['1.1.1', '1.1a1', '1.1.post1']],
    ['==1.1.*', ['1.1', '1.1.9', '1.1a1', '1.1.post1'], ['1.10', '1.2']],
    ['!=1.1', ['1.1.post1', '1.2'], ['1.1', '1.1.0']],
    ['!=1.1.*', ['1.2', '1.10'], ['1.1', '1.1.post1', '1.1a1']],
    ['>=3.11', ['3.11', '3.12.1', '4'], ['3.10.9', '3.11rc1']],
    ['<3.1', ['3.0.9'], ['3.1', '3.1.dev0', '3.1rc1']],
    ['<3.1rc2', ['3.1rc1', '3.0'], ['3.1rc2', '3.1']],
    ['>1.7', ['1.7.1', '1.8'], ['1.7', '1.7.0.post1', '1.7.post2']],
    ['>1.7.post2', ['1.7.post3'], ['1.7.post2', '1.7']],
    ['<=3.12', ['3.12', '3.11.9'], ['3.12.1']],
    ['===3.12.1', ['3.12.1'], ['3.12']],
    ['>=3.9, <3.13 ,!=3.10.*', ['3.9', '3.11', '3.12.9'], ['3.10.4', '3.13.0', '3.8']],
    ['', ['1', '3.12'], []],
  ])('%s takes %j and not %j', (text, taken, left) => {
    const set = parseSpecifiers(text) ?? [];
    expect(taken.filter((one) => !satisfies(version(one), set))).toEqual([]);
    expect(left.filter((one) => satisfies(version(one), set))).toEqual([]);
  });

  test.each(['3.11', '~=3', '>=3.11.*', '=>3.11', '>=3.11,,<4', '^3.11', '>=1+local', '> =3'])('%s is none', (text) => {
    expect(parseSpecifiers(text)).toBeUndefined();
  });
});

describe("poetry's constraints", () => {
  test.each([
    ['^3.11', ['3.11', '3.99'], ['3.10', '4.0']],
    ['^0.2.3', ['0.2.9'], ['0.3']],
    ['^0.0.3', ['0.0.3'], ['0.0.4']],
    ['^3', ['3.0', '3.9'], ['4']],
    ['~3.11', ['3.11.9'], ['3.12']],
    ['~3', ['3.99'], ['4']],
    ['3.11.*', ['3.11.9'], ['3.12']],
    ['*', ['2.7', '3.12'], []],
    ['3.11', ['3.11.0'], ['3.11.4']],
    ['>=3.9,<3.12 || ^3.13', ['3.10', '3.13.1'], ['3.12.4', '4.0']],
    ['>= 3.9 < 3.12', ['3.9', '3.11'], ['3.12']],
    ['=3.9', ['3.9'], ['3.10']],
    ['~=3.11', ['3.12'], ['4.0']],
  ])('%s takes %j and not %j', (text, taken, left) => {
    const sets = parsePoetryRange(text) ?? [];
    const takes = (one: string) => sets.some((set) => satisfies(version(one), set));
    expect(taken.filter((one) => !takes(one))).toEqual([]);
    expect(left.filter(takes)).toEqual([]);
  });

  test.each(['^x', 'three', '~'])('%s is none', (text) => {
    expect(parsePoetryRange(text)).toBeUndefined();
  });
});
