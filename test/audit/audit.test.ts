import { afterEach, describe, expect, test } from '@jest/globals';
import { workflowLog } from '../../src/action/log.ts';
import { ignores } from '../../src/audit/ignore.ts';
import { auditLine, auditPart } from '../../src/audit/report.ts';
import type { Level } from '../../src/audit/levels.ts';
import { auditPackages, problemOf } from '../../src/audit/run.ts';
import { gravenessOf, scoreOf } from '../../src/audit/severity.ts';
import { type PackageSet, packageUrl } from '../../src/packages/package.ts';
import { type OsvStandIn, osvStandIn } from './osv.ts';

let osv: OsvStandIn | undefined;
afterEach(async () => osv?.close());

const npm = (name: string, version: string, more: object = {}) => ({
  ecosystem: 'npm' as const,
  name,
  version,
  purl: packageUrl('npm', name, version),
  hashes: [],
  dev: false,
  direct: false,
  dependencies: [],
  ...more,
});

const set: PackageSet = {
  lockfile: 'package-lock.json',
  open: [],
  packages: [
    npm('express', '4.0.0', { direct: true, dependencies: ['pkg:npm/qs@6.0.0'] }),
    npm('mocha', '9.0.0', { direct: true, dev: true }),
    npm('qs', '6.0.0'),
  ],
};

const affects = (name: string, ...fixed: string[]) => ({
  affected: [
    {
      package: { name, ecosystem: 'npm' },
      ranges: fixed.map((one) => ({ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: one }] })),
    },
  ],
});
const known = {
  'npm/qs@6.0.0': [
    { id: 'CVE-2022-1', aliases: ['GHSA-qqqq'], summary: 'told twice' },
    {
      id: 'GHSA-qqqq',
      aliases: ['CVE-2022-1'],
      summary: 'prototype | pollution',
      database_specific: { severity: 'HIGH' },
      ...affects('qs', '5.9.9', '6.10.3', '6.2.4'),
    },
    { id: 'GHSA-gone', withdrawn: '2026-01-01T00:00:00Z' },
  ],
  'npm/mocha@9.0.0': [
    { id: 'GHSA-mmmm', severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] },
  ],
};

const lines: string[] = [];
const log = workflowLog((line) => void lines.push(line));

async function audit(level: Exclude<Level, 'off'>, ignored = '', url = osv?.url) {
  const clock = { now: () => Date.parse('2026-11-24T12:00:00Z'), sleep: async () => undefined };
  const host = { env: { OSV_URL: url ?? '' }, clock, signal: new AbortController().signal, log };
  return auditPackages(set, { level, ignores: ignores().parse(ignored) }, host);
}

describe('known vulnerabilities', () => {
  test('each once, with the fix above the present version and who needs it; developing after the rest', async () => {
    osv = await osvStandIn(known);
    const outcome = await audit('none');
    expect(outcome.stopping).toEqual([]);
    expect(outcome.audit?.findings).toMatchObject([
      { id: 'GHSA-qqqq', severity: 'high', fixed: '6.2.4', path: ['express', 'qs'] },
      { id: 'GHSA-mmmm', severity: 'critical', score: 9.8, path: ['mocha'] },
    ]);
    expect(auditLine(outcome)).toBe('1 critical, 1 high known vulnerabilities (1 for developing only)');
    expect(auditPart(outcome)).toContain(String.raw`prototype &#124; pollution`);
  });

  test.each([
    ['low', 1],
    ['high', 1],
    ['critical', 0],
  ] as const)('the gate %s is stopped by %i', async (level, count) => {
    osv = await osvStandIn(known);
    const { stopping } = await audit(level);
    expect(stopping).toHaveLength(count);
    const [first] = stopping;
    const shown = first && problemOf(first, set.lockfile, level);
    expect(shown?.remedy ?? '').toContain(count === 0 ? '' : 'Update express so that it brings qs 6.2.4');
  });

  test('a malicious package stops every gate, for developing too', async () => {
    osv = await osvStandIn({ 'npm/mocha@9.0.0': [{ id: 'MAL-2026-1', summary: 'steals tokens' }] });
    expect((await audit('critical')).stopping).toMatchObject([
      { id: 'MAL-2026-1', severity: 'critical', malware: true },
    ]);
  });

  test('the ignore list lets pass until its day, by any name, and tells what it no longer does', async () => {
    osv = await osvStandIn(known);
    expect((await audit('low', 'CVE-2022-1 until 2026-11-24 we parse nothing')).stopping).toEqual([]);
    const over = await audit('low', 'GHSA-qqqq until 2026-11-23 old\nGHSA-nnnn until 2027-01-01 none');
    expect(over.stopping).toHaveLength(1);
    expect(over.audit?.idle.map(({ why }) => why)).toEqual(['over', 'not found']);
    expect(() => ignores().parse('GHSA-qqqq')).toThrow('wrong form');
    expect(() => ignores().parse('GHSA-qqqq until 2026-19-45 never')).toThrow('2026-19-45');
  });

  test('a passing fault of the database is asked again; a lasting one stops the gate and warns elsewhere', async () => {
    osv = await osvStandIn(known, { failures: 2 });
    expect((await audit('high')).stopping).toHaveLength(1);
    await osv.close();
    await expect(audit('high')).rejects.toMatchObject({ message: expect.stringContaining('audit-level is high') });
    const outcome = await audit('none');
    expect(outcome.unknown).toContain('cannot be reached');
    expect(auditLine(outcome)).toBe('not told');
    expect(lines.join('\n')).toContain('::warning');
    osv = undefined;
  });

  test('an answer about other packages than asked is refused', async () => {
    osv = await osvStandIn(known, { failures: 99, status: 400 });
    await expect(audit('low')).rejects.toThrow('answers 400');
    await expect(audit('low', '', 'http://osv.example.com')).rejects.toThrow('OSV_URL of the environment');
  });
});

// Worked examples of https://www.first.org/cvss/v3.1/examples and the 4.0 specification's examples.
test.each([
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
  ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
  ['CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H', 7.8],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
  ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3],
  ['CVSS:3.1/AV:Q', undefined],
  ['AV:N/AC:L/Au:N/C:N/I:N/A:C', undefined],
])('%s has the base score %s', (vector, score) => expect(scoreOf(vector)).toBe(score));

test('without a word the newest vector decides', () => {
  const severity = [
    'CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H',
    'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
  ];
  expect(gravenessOf({ id: 'PYSEC-1', severity: severity.map((score) => ({ score })) })).toEqual({
    severity: 'critical',
    score: 9.3,
  });
  expect(gravenessOf({ id: 'X-1' })).toEqual({});
});
