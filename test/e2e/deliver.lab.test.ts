// The main job of this repository on real parts: a team's push is run by a workflow runner, built, pushed, deployed to
// pods and asked over HTTP; then a broken release is refused while the old one serves.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { at, textAt } from '../../src/kube/fields.ts';
import { controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import type { LabFacts } from '../lab/part.ts';
import { type Company, PARTS, addressOf, leaveCompany, setUpCompany } from './company.ts';
import { type Delivered, Team } from './team.ts';
import { firstReleaseAt, releaseAt, sendVisitors } from './visitors.ts';

const describe = await describeWith('images', 'pods');
let facts: LabFacts;
let company: Company;
let team: Team;

// A machine that never had the lab's parts makes them first.
beforeAll(async () => {
  facts = await openLab(...PARTS);
  company = await setUpCompany(facts, ['staging', 'production']);
  team = await Team.start();
  // The lab may have stood for longer than this test: another run's image must not be found.
  await team.edit('README.md', (text) => `${text}\nBuilt for ${company.environments[0]?.namespace}.\n`);
}, 40 * 60_000);
afterAll(async () => {
  await team.remove();
  await leaveCompany(company, facts);
});

const addressIn = async (index: number): Promise<string> =>
  addressOf(company, facts, company.environments[index]?.namespace ?? '');
const summaryOf = ({ summaries }: Delivered, job: string): string =>
  summaries.find((summary) => summary.job.endsWith(job))?.markdown ?? '';
const results = ({ jobs }: Delivered): readonly string[] =>
  jobs.map(({ name, result }) => `${name.split('/').at(-1)}: ${result}`);

describe('a caller workflow of at most 15 lines', () => {
  test('has at most 15 lines', async () => {
    expect((await team.workflow()).trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  });

  test('brings a push to pods that answer, in one environment after the other', async () => {
    const { cluster, github } = facts;
    expect(cluster?.simulated).toBe(false);
    await controlOf(github?.control ?? '').forget();
    const delivered = await team.push(company, facts);
    expect(results(delivered)).toEqual([
      'build tracking-api: success',
      'deploy to staging: success',
      'deploy to production: success',
    ]);
    expect(delivered.exitCode).toBe(0);
    expect(summaryOf(delivered, 'build tracking-api')).toContain('✅ tracking-api is built and pushed');
    expect(summaryOf(delivered, 'deploy to production')).toContain('✅ tracking-api is deployed to production');

    for (const { namespace } of company.environments) {
      const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'tracking-api', namespace };
      const image = textAt(await company.kube.get(ref), 'spec', 'template', 'spec', 'containers', 0, 'image');
      expect(image).toMatch(/\/tracking-api@sha256:[0-9a-f]{64}$/);
      expect(delivered.log).toContain(image);
    }
    for (const index of [0, 1]) expect(await firstReleaseAt(await addressIn(index))).toBe('1.0.0');

    const told = await controlOf(github?.control ?? '').requests();
    const states = told.filter(({ name }) => name.endsWith('/statuses')).map(({ body }) => at(body, 'state'));
    expect(states.filter((state) => state === 'success')).toHaveLength(2);
  }, 300_000);

  test('stops a broken release with its reason within seconds, while the old version serves everyone', async () => {
    await team.edit('package.json', (text) => text.replace('"version": "1.0.0"', '"version": "1.1.0"'));
    await team.edit('package-lock.json', (text) => text.replaceAll('"version": "1.0.0"', '"version": "1.1.0"'));
    await team.edit('src/server.js', (text) => {
      const check = "if (!process.env.CARRIERS_URL) throw new Error('CARRIERS_URL is not set');";
      return text.replace('const port =', `${check}\nconst port =`);
    });
    const visitors = sendVisitors(await addressIn(0));
    const delivered = await team.push(company, facts);
    const visits = await visitors.callBack();

    expect(results(delivered)).toEqual(['build tracking-api: success', 'deploy to staging: failure']);
    expect(delivered.exitCode).toBe(1);
    const summary = summaryOf(delivered, 'deploy to staging');
    expect(summary).toMatch(
      /❌ tracking-api was not deployed to staging — the old version \(`\w{7}`\) is still serving/,
    );
    expect(summary).toMatch(/\| 2 new pods \| 2 old pods \| rolled back after \d+ s/);
    expect(summary).toMatch(/\*\*Why:\*\* .*CARRIERS\\_URL is not set/);

    expect(visits).toMatchObject({ failed: 0, releases: ['1.0.0'] });
    expect(visits.asked).toBeGreaterThan(20);
    for (const index of [0, 1]) expect(await releaseAt(await addressIn(index))).toBe('1.0.0');
  }, 300_000);
});
