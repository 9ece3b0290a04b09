import { expect, test } from '@jest/globals';
import { askOsv } from '../../src/audit/osv.ts';
import { packageUrl } from '../../src/packages/package.ts';
import { serving } from '../aws/server.ts';

const one = {
  ecosystem: 'npm' as const,
  name: 'qs',
  version: '1.0.0',
  purl: packageUrl('npm', 'qs', '1.0.0'),
  hashes: [],
  dev: false,
  direct: true,
  dependencies: [],
};

test.each([
  [
    'more vulnerabilities than are looked at',
    { vulns: Array.from({ length: 1001 }, (_, at) => ({ id: `GHSA-${at}` })) },
  ],
  ['pages without end', { vulns: [], next_page_token: 'again' }],
])('%s let nothing pass unseen', async (_, result) => {
  const answer = (path: string) => ({
    status: 200,
    body: JSON.stringify(path === '/v1/querybatch' ? { results: [result] } : {}),
  });
  await serving(answer, async (url) => {
    const clock = { now: () => 0, sleep: async () => undefined };
    const host = { env: { OSV_URL: url }, clock, signal: new AbortController().signal };
    await expect(askOsv([one], host)).rejects.toThrow('more than');
  });
});
