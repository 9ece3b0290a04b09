import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { artifactService } from '../artifact/service.ts';
import { type OsvStandIn, osvStandIn } from '../audit/osv.ts';
import { Workspace } from '../build-node/workspace.ts';

let shop: Workspace;
let osv: OsvStandIn | undefined;
beforeEach(() => {
  shop = new Workspace();
});
afterEach(async () => {
  shop.remove();
  await osv?.close();
  osv = undefined;
});

/** A project whose only package is for another system, so that npm installs nothing and asks nobody. */
function project(scripts: Readonly<Record<string, string>> = {}): Record<string, object> {
  const root = { name: 'shop', version: '1.0.0', optionalDependencies: { qs: '6.0.0' } };
  const qs = {
    version: '6.0.0',
    optional: true,
    os: ['aix'],
    license: 'BSD-3-Clause',
    integrity: `sha512-${'A'.repeat(86)}==`,
  };
  return {
    'package.json': { ...root, scripts },
    'package-lock.json': {
      name: 'shop',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': root, 'node_modules/qs': qs },
    },
  };
}

const known = {
  'npm/qs@6.0.0': [{ id: 'GHSA-qqqq', summary: 'prototype pollution', database_specific: { severity: 'HIGH' } }],
};

describe('what the packages of a project are', () => {
  test('is written as an SBOM, and known vulnerabilities are told without stopping the build', async () => {
    osv = await osvStandIn(known);
    shop.write(project());
    const { exitCode, outputs, summary } = await shop.start({}, { OSV_URL: osv.url }).ended;
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ vulnerabilities: '{"critical":0,"high":1,"moderate":0,"low":0,"unknown":0}' });
    expect(outputs['sbom']).toBe(path.join(shop.temp, 'sbom'));
    const read = (file: string): string => readFileSync(path.join(outputs['sbom'] ?? '', file), 'utf8');
    expect(JSON.parse(read('sbom.cdx.json'))).toMatchObject({ components: [{ purl: 'pkg:npm/qs@6.0.0' }] });
    expect(read('sbom.spdx.json')).toContain('"licenseDeclared": "BSD-3-Clause"');
    expect(summary).toContain('| known vulnerabilities | 1 high known vulnerability |');
    expect(summary).toContain('https://osv.dev/vulnerability/GHSA-qqqq');
  });

  test('of a package of a workspace are those that it needs, from the lockfile of the root', async () => {
    const optional = (qs: string) => ({ version: '1.0.0', optionalDependencies: { qs } });
    const other = { version: '6.1.0', optional: true, os: ['aix'] };
    const { 'package-lock.json': lock } = project() as { 'package-lock.json': { packages: Record<string, object> } };
    const { 'node_modules/qs': qs } = lock.packages;
    const packages = {
      '': { name: 'shop', workspaces: ['api', 'web'] },
      api: optional('6.0.0'),
      web: optional('6.1.0'),
      'node_modules/api': { resolved: 'api', link: true },
      'node_modules/web': { resolved: 'web', link: true },
      'node_modules/qs': { ...qs, version: '6.0.0' },
      'web/node_modules/qs': { ...qs, ...other },
    };
    shop.write({
      'package.json': { name: 'shop', private: true, workspaces: ['api', 'web'] },
      'package-lock.json': { name: 'shop', lockfileVersion: 3, packages },
      'api/package.json': { name: 'api', ...optional('6.0.0') },
      'web/package.json': { name: 'web', ...optional('6.1.0') },
    });
    osv = await osvStandIn(known);
    const run = async (directory: string) => {
      const { outputs, log } = await shop.start({ directory }, { OSV_URL: osv?.url }).ended;
      expect(log).not.toContain('::error');
      return JSON.parse(outputs['vulnerabilities'] ?? '{}') as { high: number };
    };
    expect((await run('api')).high).toBe(1);
    expect((await run('web')).high).toBe(0);
  });

  test('stops the build at a level, and the lockfile is annotated with what to do', async () => {
    osv = await osvStandIn(known);
    shop.write(project({ test: 'node -e 0' }));
    const { exitCode, log, summary } = await shop.start({ 'audit-level': 'moderate' }, { OSV_URL: osv.url }).ended;
    expect(exitCode).toBe(1);
    expect(log).toContain('::error file=package-lock.json');
    expect(summary).toContain('### ❌ shop was not built');
    expect(summary).toContain('GHSA-qqqq');
    const ignored = { 'audit-level': 'moderate', 'audit-ignore': 'GHSA-qqqq until 2999-01-01 we parse nothing' };
    expect((await shop.start(ignored, { OSV_URL: osv.url }).ended).exitCode).toBe(0);
  });

  test('is not asked of anyone with `off`, and a database that is down stops only a gate', async () => {
    osv = await osvStandIn(known);
    const { url, asked } = osv;
    shop.write(project());
    const off = await shop.start({ 'audit-level': 'off', sbom: 'false' }, { OSV_URL: url }).ended;
    expect([off.exitCode, off.outputs['sbom'], asked.length]).toEqual([0, undefined, 0]);
    expect(existsSync(path.join(shop.temp, 'sbom'))).toBe(false);
    await osv.close();
    osv = undefined;
    const told = await shop.start({}, { OSV_URL: url }).ended;
    expect([told.exitCode, told.summary.includes('Known vulnerabilities are not told')]).toEqual([0, true]);
    const gated = await shop.start({ 'audit-level': 'high' }, { OSV_URL: url }).ended;
    expect(gated.exitCode).toBe(1);
    expect(gated.log).toContain('Set audit-level to none for this run');
  });
});

describe('what a build makes', () => {
  test('is uploaded to the run as an artifact', async () => {
    const service = await artifactService();
    shop.write(project({ build: 'node make.js' }));
    shop.write({ 'make.js': "require('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/app.js', '1');" });
    const inputs = { artifact: 'dist', 'artifact-name': 'web', 'audit-level': 'off' };
    const { log, outputs, summary } = await shop.start(inputs, { ...service.env, GITHUB_RUN_ID: '7' }).ended;
    expect(log).not.toContain('::error');
    expect(outputs['artifact']).toBe('https://github.com/acme/shop/actions/runs/7/artifacts/77');
    expect(summary).toContain('| artifact | [web](https://github.com/acme/shop/actions/runs/7/artifacts/77): 1 files');
    expect([...service.kept.keys()]).toEqual(['web']);
    await service.close();
  });

  test.each(['../elsewhere', 'out/host'])(
    'is not taken from %s, which leads out of the directory',
    async (artifact) => {
      shop.write(project());
      symlinkSync(path.join(shop.folder, '..'), path.join(shop.folder, 'out'));
      const outside = mkdtempSync(path.join(shop.folder, '..', 'host-'));
      const named = artifact === 'out/host' ? `out/${path.basename(outside)}` : artifact;
      const { exitCode, log } = await shop.start({ artifact: named, 'audit-level': 'off' }).ended;
      rmSync(outside, { recursive: true });
      expect(exitCode).toBe(1);
      expect(log).toContain('leads out of the directory');
    },
  );
});
