// A site from a push to a browser, on real parts: a workflow runner, npm, Vite, S3 and CloudFront of the lab, Chromium.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { findChromium, openPage } from './browser.ts';
import { DELIVER, type Delivered, type Started, Team } from './team.ts';
import { CONTROL_TOWER, pullRequest, ROLLBACK } from './web-project.ts';
import { WEB_PARTS, type WebCompany, leaveWebCompany, setUpWebCompany } from './web-company.ts';

let facts: LabFacts;
let company: WebCompany;
let team: Team;
let chromium = '';

beforeAll(async () => {
  chromium = await findChromium();
  facts = await openLab(...WEB_PARTS);
  company = await setUpWebCompany(facts, ['staging', 'production']);
  team = await Team.start(undefined, CONTROL_TOWER);
}, 40 * 60_000);
afterAll(async () => {
  await team.remove();
  await leaveWebCompany(facts);
});

const start = async (started: Partial<Started> = {}): Promise<Delivered> =>
  team.run(company, facts, { file: DELIVER, ...started });
const results = ({ jobs }: Delivered): readonly string[] =>
  jobs.map(({ name, result }) => `${name.split('/').at(-1)}: ${result}`);
const seenIn = async (index: number, page = ''): Promise<string> =>
  (await openPage(chromium, `${company.places[index]?.url}${page}`)).text;
const contents = ({ summaries }: Delivered): readonly string[] =>
  summaries.flatMap(({ markdown }) => /has the content `([0-9a-f]{64})`/.exec(markdown)?.[1] ?? []);

describe('a caller workflow of at most 15 lines', () => {
  test('brings a push to a page in the browser, one build in two environments', async () => {
    const delivered = await start();
    expect(delivered.log).not.toMatch(/::error/);
    expect(results(delivered)).toEqual([
      'build the site: success',
      'deploy the site in staging: success',
      'deploy the site in production: success',
    ]);
    for (const [index, name] of ['staging', 'production'].entries()) {
      const text = await seenIn(index);
      expect(text).toContain(`Control tower ${name}`);
      expect(text).toContain('release 1.0.0');
      expect(text).toContain('LC-1004 to Maribor in-transit');
    }
    expect(new Set(contents(delivered)).size).toBe(1);
    expect(contents(delivered)).toHaveLength(2);
  }, 300_000);

  test('brings a second release past what the distribution keeps', async () => {
    await team.edit('package.json', (text) => text.replace('"version": "1.0.0"', '"version": "1.1.0"'));
    await team.edit('package-lock.json', (text) => text.replaceAll('"version": "1.0.0"', '"version": "1.1.0"'));
    const delivered = await start();
    expect(delivered.exitCode).toBe(0);
    expect(await seenIn(1)).toContain('release 1.1.0');
  }, 300_000);

  test('shows a pull request beside it, and takes that away', async () => {
    await team.edit('src/app.tsx', (text) => text.replace('<h1>Control tower</h1>', '<h1>Control room</h1>'));
    const opened = await start(pullRequest('opened'));
    expect(results(opened)).toEqual(['build the site: success', 'deploy the site in preview: success']);
    expect(await seenIn(0, 'previews/pr-7/index.html')).toContain('Control room preview');
    expect(await seenIn(0)).toContain('Control tower staging');
    const closed = await start(pullRequest('closed'));
    expect(results(closed)).toEqual(['remove the site in preview: success']);
    const left = (await company.places[0]?.bucket.list('previews/')) ?? new Map();
    expect([...left.keys()]).toEqual(['previews/pr-7/.releases/current.json']);
  }, 300_000);

  test('and one by hand goes back', async () => {
    const back = await start({ file: ROLLBACK, inputs: { to: '' } });
    expect(results(back)).toEqual(['rollback the site in production: success']);
    expect(back.seconds).toBeLessThan(30);
    expect(await seenIn(1)).toContain('release 1.0.0');
    expect(await seenIn(0)).toContain('release 1.1.0');
  }, 120_000);
});
