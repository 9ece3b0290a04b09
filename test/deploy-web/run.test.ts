import { expect, test } from '@jest/globals';
import { Failed } from '../../src/action/errors.ts';
import type { Host } from '../../src/action/host.ts';
import { parseInputs } from '../../src/action/inputs.ts';
import { inputs } from '../../src/deploy-web/inputs.ts';
import { deployWeb } from '../../src/deploy-web/run.ts';
import { withFiles } from '../site/folder.ts';

test('an end that nobody foresaw has a page that says what visitors get, and stays a fault of the action', async () => {
  const raw: Record<string, string> = { bucket: 'acme-web', region: 'eu-central-1', site: 'dist' };
  const given = parseInputs(inputs, { get: (name) => raw[name] ?? '', mask: () => undefined });
  const pages: string[] = [];
  await withFiles({ 'dist/index.html': '<p>' }, async (workspace) => {
    const host = {
      env: {},
      info: { workspace, eventName: 'push', eventPath: '', sha: '', actor: '' },
      clock: { now: () => 0 },
      signal: new AbortController().signal,
      log: {
        info() {
          throw new TypeError('no such line');
        },
      },
      summarize: async (page: string) => void pages.push(page),
    } as unknown as Host;
    const error: unknown = await deployWeb.run(given, host).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(Failed);
  });
  expect(pages.join('')).toContain('### ❌ The site was not deployed — nothing was changed');
  expect(pages.join('')).toContain('**Why:** unexpected: no such line');
});
