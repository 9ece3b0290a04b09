import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { openProject } from '../../src/project/project.ts';
import { publishNpm } from '../../src/publish/npm.ts';
import { type Registry, startRegistry } from './verdaccio.ts';

let registry: Registry;
let folder: string;
let [ana, ben] = ['', ''];
beforeAll(async () => {
  registry = await startRegistry({ taken: 'ben' });
  [ana, ben] = [await registry.user('ana'), await registry.user('ben')];
}, 300_000);
afterAll(async () => registry.stop());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'publish-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(project: object, content = 'export default 1;\n'): void {
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(project));
  writeFileSync(path.join(folder, 'index.js'), content);
}

async function publish(token: string, eventName = 'push') {
  const home = path.join(folder, 'home');
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    npm_config_cache: path.join(tmpdir(), 'publish-cache'),
    npm_config_registry: registry.url,
    npm_config_fetch_retries: '0',
    NODE_AUTH_TOKEN: token,
  };
  const signal = new AbortController().signal;
  const log = workflowLog(() => undefined);
  const host = {
    env,
    info: { eventName },
    log,
    clock: systemClock,
    signal,
    exec: localExec(env, signal),
  };
  return publishNpm(openProject('.', folder), host as unknown as Host);
}

async function versions(name: string): Promise<readonly string[]> {
  const answer = await fetch(`${registry.url}${name.replace('/', '%2f')}`);
  if (answer.status === 404) return [];
  return Object.keys(((await answer.json()) as { versions: object }).versions);
}

const failing = { prepack: 'exit 1', prepublishOnly: 'exit 1', prepare: 'exit 1' };

describe('an npm package, in a real registry', () => {
  test('is published once; the same again is unchanged, other content is refused', async () => {
    // Its scripts do not run: they would see what publishes.
    write({ name: 'once', version: '1.0.0', type: 'module', scripts: failing });
    expect(await publish(ana)).toMatchObject({
      name: 'once',
      version: '1.0.0',
      verdict: 'published',
      provenance: false,
    });
    expect(await versions('once')).toEqual(['1.0.0']);
    expect((await publish(ana)).verdict).toBe('unchanged');
    write({ name: 'once', version: '1.0.0', type: 'module', scripts: failing }, 'export default 2;\n');
    await expect(publish(ana)).rejects.toMatchObject({
      message: 'once 1.0.0 is published already, with other content',
      remedy: expect.stringContaining('Raise `version`'),
    });
    write({ name: 'once', version: '1.0.1', type: 'module' }, 'export default 2;\n');
    await publish(ana);
    expect(await versions('once')).toEqual(['1.0.0', '1.0.1']);
  }, 120_000);

  test('of a pull request is only checked', async () => {
    write({ name: '@acme/checked', version: '1.0.0' });
    expect((await publish(ana, 'pull_request')).verdict).toBe('checked');
    expect(await versions('@acme/checked')).toEqual([]);
  }, 60_000);

  test('whose name is taken, or whose account is unknown, is refused with what to do', async () => {
    write({ name: 'taken', version: '1.0.0' });
    expect((await publish(ben)).verdict).toBe('published');
    write({ name: 'taken', version: '1.0.1' });
    await expect(publish(ana)).rejects.toMatchObject({
      remedy: expect.stringMatching(/may belong to somebody else.*@owner\/taken/s),
    });
    write({ name: 'nobody', version: '1.0.0' });
    await expect(publish('')).rejects.toMatchObject({ remedy: expect.stringContaining('trusted publisher') });
    expect(await versions('nobody')).toEqual([]);
  }, 120_000);

  test('that is private, or has no version, is not begun', async () => {
    write({ name: 'own', private: true, version: '1.0.0' });
    await expect(publish(ana)).rejects.toThrow('private: true');
    write({ name: 'own' });
    await expect(publish(ana)).rejects.toThrow('cannot pack');
  }, 60_000);
});
