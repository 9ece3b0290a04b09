// A Python service on real parts: a team's push is checked, built without a Dockerfile, deployed to pods and asked over
// HTTP; then the next release takes over without a failed request.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import type { LabFacts } from '../lab/part.ts';
import { bringPythonBase } from '../lab/python-base.ts';
import { type Company, addressOf, leaveCompany, setUpCompany } from './company.ts';
import { PROBLEM, PYTHON_PARTS, ROUTING_SERVICE, layersOf, release } from './python-project.ts';
import { type Delivered, Team } from './team.ts';
import { firstReleaseAt, releaseAt, sendVisitors } from './visitors.ts';

const describe = await describeWith('images', 'pods');
let facts: LabFacts;
let company: Company;
let team: Team;

// A machine that never had the lab's parts makes them first.
beforeAll(async () => {
  facts = await openLab(...PYTHON_PARTS);
  await bringPythonBase(facts.images);
  company = await setUpCompany(facts, ['staging', 'production']);
  team = await Team.start(undefined, ROUTING_SERVICE);
  // The lab may have stood for longer than this test: another run's image must not be found.
  await team.edit('README.md', (text) => `${text}\nBuilt for ${company.environments[0]?.namespace}.\n`);
}, 40 * 60_000);
afterAll(async () => {
  await team.remove();
  await leaveCompany(company, facts);
});

const addressIn = async (index: number): Promise<string> =>
  addressOf(company, facts, company.environments[index]?.namespace ?? '', 'routing-service');
const results = ({ jobs }: Delivered): readonly string[] =>
  jobs.map(({ name, result }) => `${name.split('/').at(-1)}: ${result}`);
const buildSummary = ({ summaries }: Delivered): string =>
  summaries.find(({ job }) => job.endsWith('build routing-service'))?.markdown ?? '';
const digestIn = (delivered: Delivered): string => /@(sha256:[0-9a-f]{64})/.exec(buildSummary(delivered))?.[1] ?? '';

describe('a Python service by a caller workflow of at most 15 lines', () => {
  let first = '';

  test('is checked, built without a Dockerfile and serves in one environment after the other', async () => {
    expect((await team.workflow()).trimEnd().split('\n').length).toBeLessThanOrEqual(15);
    expect(facts.cluster?.simulated).toBe(false);
    const delivered = await team.push(company, facts);
    expect(results(delivered)).toEqual([
      'build routing-service: success',
      'deploy to staging: success',
      'deploy to production: success',
    ]);
    const summary = buildSummary(delivered);
    expect(summary).toContain('✅ routing-service is built and pushed');
    expect(summary).toMatch(/\| pytest \| passed/);
    expect(summary).toMatch(/The packages of the image take \d+ MB: .*ortools \d+ MB/);
    first = digestIn(delivered);

    const address = await addressIn(1);
    expect(await firstReleaseAt(address)).toBe('1.0.0');
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${address}/routes`, { method: 'POST', headers, body: JSON.stringify(PROBLEM) });
    const { routes } = (await answer.json()) as { routes: readonly { load: number; stops: readonly string[] }[] };
    expect(routes.flatMap(({ stops }) => stops).toSorted()).toEqual(['LINZ', 'VIENNA', 'WELS']);
    expect(routes.every(({ load }) => load <= 5)).toBe(true);
  }, 600_000);

  test('gets its next release without a failed request, as a layer of sources', async () => {
    await release(team, '1.0.0', '1.1.0');
    const visitors = sendVisitors(await addressIn(1));
    const delivered = await team.push(company, facts);
    const visits = await visitors.callBack();
    expect(delivered.exitCode).toBe(0);
    expect(visits).toMatchObject({ failed: 0, releases: ['1.0.0', '1.1.0'] });
    for (const index of [0, 1]) expect(await releaseAt(await addressIn(index))).toBe('1.1.0');

    const [before, after] = await Promise.all(
      [first, digestIn(delivered)].map(async (one) => layersOf(facts, 'routing-service', one)),
    );
    const fresh = [...(after ?? [])].filter(([digest]) => before?.has(digest) !== true);
    expect(fresh).toHaveLength(1);
    expect(fresh[0]?.[1]).toBeLessThan(1_000_000);
  }, 600_000);
});
