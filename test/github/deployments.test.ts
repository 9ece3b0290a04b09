import { describe, expect, test } from '@jest/globals';
import { Cancelled } from '../../src/action/errors.ts';
import { deploymentTracker, trackedDeployment } from '../../src/github/deployments.ts';
import { serving } from '../aws/server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function machine(apiUrl: string) {
  const warnings: string[] = [];
  const slept: number[] = [];
  const host = {
    info: { repository: 'acme/shop', sha: 'c0ffee', apiUrl, runUrl: 'https://github.example/run/7' },
    log: { warning: (message: string) => void warnings.push(message) },
    clock: { now: () => 0, sleep: async (ms: number) => void slept.push(ms) },
    signal: new AbortController().signal,
    mask: () => undefined,
  } as unknown as Parameters<typeof deploymentTracker>[0];
  return { host, warnings, slept };
}

describe('a deployment on GitHub', () => {
  test('is created and reported through a secondary limit and a 500', async () => {
    const made = { status: 201, body: '{"id":42}', headers: JSON_TYPE };
    const answers = [
      { status: 403, body: '{"message":"secondary"}', headers: { ...JSON_TYPE, 'retry-after': '3' } },
      { status: 500, body: '{}', headers: JSON_TYPE },
      { status: 200, body: '[]', headers: JSON_TYPE },
      made,
    ];
    await serving(answers, async (url, asked) => {
      const { host, warnings, slept } = machine(url);
      const tracker = deploymentTracker(host, { token: 'ghs_x', environment: 'production' });
      await tracker.start();
      await tracker.report('success', 'x'.repeat(200));
      expect(warnings).toEqual([]);
      expect(slept[0]).toBe(3000);
      expect(asked.slice(2).map((request) => request.url)).toEqual([
        '/repos/acme/shop/deployments?sha=c0ffee&environment=production&per_page=1',
        '/repos/acme/shop/deployments',
        '/repos/acme/shop/deployments/42/statuses',
        '/repos/acme/shop/deployments/42/statuses',
      ]);
      expect(JSON.parse(asked[5]?.body ?? '')).toMatchObject({ state: 'success', description: 'x'.repeat(140) });
    });
  });

  test('that was cancelled is no failure of the release', async () => {
    const answers = [
      { status: 200, body: '[]', headers: JSON_TYPE },
      { status: 201, body: '{"id":42}', headers: JSON_TYPE },
    ];
    await serving(answers, async (url, asked) => {
      const run = new AbortController();
      const host = { ...machine(url).host, signal: run.signal };
      const cancelled = trackedDeployment(host, { token: 'ghs_x', environment: 'production' }, async (tracker) => {
        await tracker.start();
        run.abort(new Cancelled('SIGINT'));
        throw new Cancelled('SIGINT');
      });
      await expect(cancelled).rejects.toThrow(Cancelled);
      expect(JSON.parse(asked.at(-1)?.body ?? '')).toMatchObject({ state: 'error' });
    });
  });

  test('that GitHub refuses is a warning, tried once', async () => {
    await serving([{ status: 403, body: '{"message":"no"}', headers: JSON_TYPE }], async (url, asked) => {
      const { host, warnings } = machine(url);
      await deploymentTracker(host, { token: 'ghs_x', environment: 'production' }).start();
      expect(asked).toHaveLength(1);
      expect(warnings).toEqual([expect.stringContaining('deployments: write')]);
    });
  });
});
