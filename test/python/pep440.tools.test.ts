import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { compareVersions, parseSpecifiers, parseVersion, satisfies } from '../../src/python/pep440.ts';

const VERSIONS =
  '1.0 1 1.0.0 1.0a1 1.0a1.dev2 1.0b2 1.0b2.post1 1.0b2.post1.dev1 1.0rc1 1.0.dev3 1.0.post1 1.0.post1.dev4 1.0+local 1.0+local.2 1.0+2 1.1 1.1.1 1.10 2 2!1.0 3.12.1 3.13.0rc2 3.13 3.14.0a1 4.0.dev1'.split(
    ' ',
  );
const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', '~='];
const WILDCARDS = ['==1.*', '==1.0.*', '!=1.0.*', '!=3.13.*', '==2!1.*'];

/** Local versions only stand with these two; pip's older copies still take them elsewhere. */
const isPlain = (specifier: string): boolean => /^(?:[!=]=|[^+]*$)/.test(specifier);

/**
 * What pip's own copy of `packaging`, the reference of PEP 440, says of every pair. For `>` its copies disagree
 * about local versions of a later release with the same base, so these are left out.
 */
const REFERENCE = `
import json, sys
from pip._vendor.packaging.specifiers import SpecifierSet, InvalidSpecifier
from pip._vendor.packaging.version import Version
versions, specifiers = json.load(sys.stdin)
def takes(text, version):
    try: return SpecifierSet(text, prereleases=True).contains(version)
    except InvalidSpecifier: return None

print(json.dumps({
  'takes': {f'{s} {v}': takes(s, v) for s in specifiers for v in versions if not (s[0] == '>' and s[1] != '=' and '+' in v)},
  'order': {f'{a} {b}': (Version(a) > Version(b)) - (Version(a) < Version(b)) for a in versions for b in versions},
}))`;

test('what a specifier takes, and the order of versions, is what the reference says', () => {
  const plain = OPERATORS.flatMap((operator) => VERSIONS.map((version) => operator + version)).filter(isPlain);
  const input = JSON.stringify([VERSIONS, [...plain, ...WILDCARDS]]);
  const said = JSON.parse(execFileSync('python3', ['-c', REFERENCE], { input, encoding: 'utf8' })) as {
    takes: Record<string, boolean | null>;
    order: Record<string, number>;
  };
  const takes = Object.keys(said.takes).map((pair) => {
    const [specifier = '', version = ''] = pair.split(' ');
    const [set, parsed] = [parseSpecifiers(specifier), parseVersion(version)];
    return [pair, set === undefined || parsed === undefined ? null : satisfies(parsed, set)];
  });
  const order = Object.keys(said.order).map((pair) => {
    const [a, b] = pair.split(' ').map(parseVersion);
    return [pair, a === undefined || b === undefined ? undefined : Math.sign(compareVersions(a, b))];
  });
  expect(Object.fromEntries(takes)).toEqual(said.takes);
  expect(Object.fromEntries(order)).toEqual(said.order);
  expect(takes.length).toBeGreaterThan(4000);
});
