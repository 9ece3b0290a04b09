import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { githubAnswers } from '../lab/parts/github-answers.ts';
import { serve } from '../lab/parts/stand-in.ts';
import { postgres, urlOf } from '../postgres.ts';
import { Project } from './project.ts';

// A few processes each, on machines that may be busy.
jest.setTimeout(120_000);

const FIRST = `CREATE TABLE shipments (
  id bigint PRIMARY KEY,
  code varchar(20),
  weight int
);
`;
const DANGEROUS = `-- Carriers
ALTER TABLE shipments ADD COLUMN carrier_id int;
CREATE INDEX shipments_carrier ON shipments (carrier_id);
ALTER TABLE shipments ALTER COLUMN code TYPE varchar(40);
`;
const SAFE = `-- migrate-db: no-transaction
ALTER TABLE shipments ADD COLUMN carrier_id int;
CREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);
`;

let project: Project;
beforeEach(() => {
  project = new Project();
  project.write('db/migrations/001_shipments.sql', FIRST);
});
afterEach(() => project.remove());

const { createDatabase } = postgres();

async function database(): Promise<{ url: string; ask: (sql: string) => Promise<readonly object[]> }> {
  const url = urlOf(await createDatabase());
  return {
    url,
    async ask(sql) {
      const client = new Client(url);
      await client.connect();
      try {
        return (await client.query<object>(sql)).rows;
      } finally {
        await client.end();
      }
    },
  };
}

describe('a pull request', () => {
  const answers = githubAnswers('ghs_x');
  const comments = (): readonly { readonly body: string }[] => {
    const url = new URL('http://lab/repos/acme/shop/issues/12/comments');
    return JSON.parse(answers({ method: 'GET', url, headers: { authorization: 'Bearer ghs_x' }, body: '' }).body) as [];
  };
  let server: Server;
  let apiUrl: string;
  beforeEach(async () => {
    server = serve(0, { name: ({ method }) => method, answer: answers, faults: {}, settings: {} });
    await new Promise((resolve) => void server.once('listening', resolve));
    apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => void server.close());

  test('with a dangerous migration is told so on its line and in one comment; the safe form renews it', async () => {
    const base = project.commit('first');
    project.write('db/migrations/002_carriers.sql', DANGEROUS);
    project.write('sizes.json', '{"shipments":{"rows":41000000,"bytes":4200000000}}');
    project.commit('dangerous');
    const inputs = { 'github-token': 'ghs_x', 'sarif-file': 'findings.sarif', sizes: 'sizes.json' };
    const dangerous = await project.runOnPullRequest(base, inputs, apiUrl);
    expect(dangerous.log).toMatch(/::error file=db\/migrations\/002_carriers\.sql,line=3,.*index-not-concurrent/s);
    expect({ ...dangerous.outputs, report: undefined, findings: undefined }).toMatchObject({
      verdict: 'risky',
      risk: 'high',
      sarif: 'findings.sarif',
    });
    expect(dangerous.exitCode).toBe(0);
    expect(dangerous.summary).toMatch(
      /^### ⛔ `002_carriers\.sql` would block every write to `shipments` for about \d+ s\n/,
    );
    expect(dangerous.summary).toContain('Rehearsed on PostgreSQL 15: took **ShareLock** on `shipments`');
    expect(dangerous.summary).not.toContain('column-type');
    const sarif = JSON.parse(readFileSync(path.join(project.folder, 'findings.sarif'), 'utf8')) as {
      runs: { results: { ruleId: string }[] }[];
    };
    expect(sarif.runs[0]?.results.map(({ ruleId }) => ruleId)).toContain('index-not-concurrent');
    expect(comments().map(({ body }) => body)).toEqual([expect.stringContaining('### ⛔ `002_carriers.sql`')]);

    project.write('db/migrations/002_carriers.sql', SAFE);
    project.commit('safe');
    const safe = await project.runOnPullRequest(base, inputs, apiUrl);
    expect({ risk: safe.outputs['risk'], verdict: safe.outputs['verdict'] }).toEqual({ risk: 'none', verdict: 'safe' });
    expect(safe.log).not.toContain('::error');
    expect(comments().map(({ body }) => body)).toEqual([expect.stringContaining('1 new migration is safe to apply')]);
  });

  test('is judged by the schema that its rehearsal found: wider text and a checked column are no hazard', async () => {
    project.write('db/migrations/001_shipments.sql', `${FIRST}ALTER TABLE shipments ADD CHECK (weight IS NOT NULL);\n`);
    const base = project.commit('first');
    project.write(
      'db/migrations/002_wider.sql',
      'ALTER TABLE shipments ALTER COLUMN code TYPE varchar(40);\nALTER TABLE shipments ALTER COLUMN weight SET NOT NULL;\n',
    );
    project.commit('wider');
    const { log, outputs } = await project.runOnPullRequest(base, {}, apiUrl);
    expect({
      verdict: outputs['verdict'],
      told: log.match(/column-type-rewrites|set-not-null-scans|shows otherwise/g),
    }).toEqual({
      verdict: 'safe',
      told: null,
    });
  });

  test('that changes no migration is not judged, and gets no comment', async () => {
    const base = project.commit('first');
    project.write('README.md', 'nothing of the database');
    project.commit('other');
    const before = comments().length;
    const { outputs, summary, log } = await project.runOnPullRequest(base, { 'github-token': 'ghs_x' }, apiUrl);
    expect(outputs['verdict']).toBe('nothing');
    expect(summary).toMatch(/^### ✅ No migration is new\n/);
    expect(log).not.toContain('rehearsing');
    expect(comments()).toHaveLength(before);
  });

  test('with SQL that PostgreSQL refuses fails, and stays without a comment where the token may not write', async () => {
    const base = project.commit('first');
    project.write('db/migrations/002_broken.sql', 'ALTER TABLE shipmentz ADD COLUMN x int;\n');
    project.commit('broken');
    const run = await project.runOnPullRequest(base, { 'github-token': 'another' }, apiUrl);
    expect({ exitCode: run.exitCode, verdict: run.outputs['verdict'] }).toEqual({ exitCode: 1, verdict: 'broken' });
    expect(run.summary).toMatch(/^### ❌ `002_broken\.sql` does not work as it is: .*shipmentz/);
    expect(run.log).toMatch(/::warning::the pull request got no comment: GitHub answered 401/);
  });
});

describe('a database', () => {
  test('gets what is pending, once; then there is nothing to do', async () => {
    const { url, ask } = await database();
    project.write('db/migrations/002_carriers.sql', SAFE);
    const inputs = { mode: 'apply', 'database-url': url };
    const applied = await project.run(inputs);
    expect({ log: applied.exitCode === 0 ? '' : applied.log, verdict: applied.outputs['verdict'] }).toEqual({
      log: '',
      verdict: 'applied',
    });
    expect(JSON.parse(applied.outputs['applied'] ?? '')).toMatchObject([
      { name: '001_shipments' },
      { name: '002_carriers' },
    ]);
    expect(applied.summary).toMatch(/^### ✅ 2 migrations are applied to `shadow_\w+` after /);
    expect(applied.log).not.toContain(new URL(url).password.slice(0, 12) + '@');
    expect(await ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'shipments_carrier'::regclass")).toEqual([
      { indisvalid: true },
    ]);

    const again = await project.run(inputs);
    expect({ exitCode: again.exitCode, verdict: again.outputs['verdict'] }).toEqual({
      exitCode: 0,
      verdict: 'nothing',
    });
    expect(again.summary).toMatch(/has all migrations already: nothing had to be applied/);
    const status = await project.run({ ...inputs, mode: 'status' });
    expect(status.summary).toMatch(/^### ✅ `shadow_\w+` has all migrations\n/);
  });

  test('that refuses half way keeps what was applied, and a second run goes on from there', async () => {
    const { url, ask } = await database();
    const inputs = { mode: 'apply', 'database-url': url };
    await project.run(inputs);
    await ask("INSERT INTO shipments SELECT i, 'twice', i FROM generate_series(1, 10) i");
    project.write('db/migrations/002_note.sql', 'ALTER TABLE shipments ADD COLUMN note text;\n');
    project.write(
      'db/migrations/003_unique.sql',
      '-- what is doubled is known only there\nCREATE UNIQUE INDEX one_code ON shipments (code);\n',
    );
    project.write('db/migrations/004_more.sql', 'ALTER TABLE shipments ADD COLUMN more text;\n');
    const failed = await project.run(inputs);
    expect({ exitCode: failed.exitCode, verdict: failed.outputs['verdict'] }).toEqual({
      exitCode: 1,
      verdict: 'failed',
    });
    expect(failed.summary).toMatch(/^### ❌ `003_unique` could not be applied to `shadow_\w+` — 1 of 3 applied\n/);
    expect(failed.summary).toMatch(/\*\*Why:\*\* 003.*_unique: could not create unique index/);
    expect(failed.summary).toContain('| `002_note` | ✅ applied |');
    expect(failed.summary).toContain('| `004_more` | not begun |');
    expect(failed.summary).toContain('**What to do:**');
    await ask('DELETE FROM shipments WHERE id > 1');
    const done = await project.run(inputs);
    expect(JSON.parse(done.outputs['applied'] ?? '[]')).toMatchObject([{ name: '003_unique' }, { name: '004_more' }]);
  });

  test('is planned for, with the risk; what nobody agreed to is not applied', async () => {
    const { url, ask } = await database();
    await project.run({ mode: 'apply', 'database-url': url });
    await ask("INSERT INTO shipments SELECT i, 'c' || i, i FROM generate_series(1, 200000) i");
    await ask('ANALYZE shipments');
    project.write('db/migrations/002_weight.sql', 'ALTER TABLE shipments ALTER COLUMN weight TYPE bigint;\n');
    const plan = await project.run({ mode: 'plan', 'database-url': url });
    expect(plan.outputs).toMatchObject({ verdict: 'risky', risk: 'high', pending: '["002_weight"]' });
    expect(plan.summary).toMatch(/⛔ `002_weight\.sql` would block every query on `shipments` for /);
    expect(plan.summary).toContain('about 200 thousand rows there');
    const refused = await project.run({ mode: 'apply', 'database-url': url, 'expect-risk': 'low' });
    expect(refused.exitCode).toBe(1);
    expect(refused.summary).toMatch(/^### ❌ Nothing was applied: .*the risk is high, and low was agreed to/);
    const expected = { 'expect-risk': 'high', 'expect-pending': plan.outputs['pending-digests'] ?? '' };
    project.write('db/migrations/002_weight.sql', 'ALTER TABLE shipments DROP COLUMN weight;\n');
    const changed = await project.run({ mode: 'apply', 'database-url': url, ...expected });
    expect(changed.exitCode).toBe(1);
    expect(changed.summary).toMatch(/^### ❌ Nothing was applied: .*002.*weight was not among what was agreed to/);
    project.write('db/migrations/002_weight.sql', 'ALTER TABLE shipments ALTER COLUMN weight TYPE bigint;\n');
    project.write('db/migrations/003_late.sql', 'ALTER TABLE shipments ADD COLUMN late int;\n');
    const more = await project.run({ mode: 'apply', 'database-url': url, ...expected });
    expect([more.exitCode, await ask("SELECT 1 FROM information_schema.columns WHERE column_name = 'late'")]).toEqual([
      1,
      [],
    ]);
    rmSync(path.join(project.folder, 'db/migrations/003_late.sql'));
    const agreed = await project.run({ mode: 'apply', 'database-url': url, ...expected });
    expect(agreed.outputs['verdict']).toBe('applied');
    // Another run has applied it meanwhile: less than what was agreed to is no fault.
    expect((await project.run({ mode: 'apply', 'database-url': url, ...expected })).exitCode).toBe(0);
  });

  test('shows the types of its columns, also where nothing is rehearsed', async () => {
    const { url } = await database();
    await project.run({ mode: 'apply', 'database-url': url });
    const widens = 'ALTER TABLE shipments ALTER COLUMN code TYPE varchar(40);\n';
    project.write('db/migrations/002_code.sql', widens);
    const plan = await project.run({ mode: 'plan', 'database-url': url, rehearse: 'false' });
    expect(plan.outputs).toMatchObject({ pending: '["002_code"]', risk: 'none', findings: '[]' });
    project.write('db/migrations/002_code.sql', widens.replace('40', '10'));
    const narrower = await project.run({ mode: 'plan', 'database-url': url, rehearse: 'false' });
    expect(narrower.outputs['findings']).toContain('"code":"column-type-');
  });

  test('gets before a deploy what the running version does not mind, and the rest after it', async () => {
    const { url, ask } = await database();
    await project.run({ mode: 'apply', 'database-url': url });
    project.write('db/migrations/002_add.sql', 'ALTER TABLE shipments ADD COLUMN mass int;\n');
    project.write('db/migrations/003_drop.sql', 'ALTER TABLE shipments DROP COLUMN weight;\n');
    const columns = async (): Promise<readonly object[]> =>
      ask(
        "SELECT string_agg(column_name, ' ' ORDER BY column_name) AS names FROM information_schema.columns WHERE table_name = 'shipments'",
      );
    const expand = await project.run({ mode: 'apply', 'database-url': url, phase: 'expand' });
    expect(expand.outputs['risk']).toBe('none');
    expect(expand.summary).toContain('**After the deploy:** `003_drop`');
    expect(await columns()).toEqual([{ names: 'code id mass weight' }]);
    await project.run({ mode: 'apply', 'database-url': url, phase: 'contract' });
    expect(await columns()).toEqual([{ names: 'code id mass' }]);
  });

  test('is mended when told, and only then', async () => {
    const { url, ask } = await database();
    await project.run({ mode: 'apply', 'database-url': url });
    await ask("INSERT INTO shipments VALUES (1, 'twice'), (2, 'twice')");
    await expect(ask('CREATE UNIQUE INDEX CONCURRENTLY one_code ON shipments (code)')).rejects.toThrow(
      'could not create',
    );
    const status = await project.run({ mode: 'status', 'database-url': url });
    expect(status.summary).toContain('The index `one_code` of `shipments` is invalid');
    const shown = await project.run({ mode: 'repair', 'database-url': url });
    expect(shown.outputs['verdict']).toBe('told');
    expect(shown.summary).toContain('DROP INDEX CONCURRENTLY IF EXISTS one_code;');
    expect(await ask("SELECT to_regclass('one_code') IS NOT NULL AS there")).toEqual([{ there: true }]);
    const mended = await project.run({ mode: 'repair', 'database-url': url, repair: 'all' });
    expect(mended.outputs['verdict']).toBe('mended');
    expect(await ask("SELECT to_regclass('one_code') IS NOT NULL AS there")).toEqual([{ there: false }]);
  });
});

test('all inputs that are wrong are told at once, and a database that is missing before anything is done', async () => {
  const wrong = await project.run({ mode: 'aply', 'lock-timeout': 'soon', 'lock-retries': '-1', tool: 'liquid' });
  for (const name of ['mode', 'lock-timeout', 'lock-retries', 'tool']) expect(wrong.log).toContain(`input ${name}`);
  const none = await project.run({ mode: 'apply' });
  expect(none.exitCode).toBe(1);
  expect(none.summary).toMatch(/^### ❌ Nothing was applied: .*database/);
});

test('a server to rehearse on that was named and is not there ends the check: it would pass on the text alone', async () => {
  const base = project.commit('first');
  project.write('db/migrations/002_carriers.sql', SAFE);
  project.commit('safe');
  const shadow = 'postgres://tester:wrong@127.0.0.1:1/postgres?sslmode=disable';
  const { exitCode, log } = await project.runOnPullRequest(base, { 'shadow-url': shadow }, 'http://127.0.0.1:1');
  expect(exitCode).toBe(1);
  expect(log).toMatch(/127\.0\.0\.1:1/);
});
