import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { startServer } from '../../src/postgres/server.ts';
import { githubAnswers } from '../lab/parts/github-answers.ts';
import { serve } from '../lab/parts/stand-in.ts';
import { bringPostgres, urlOf } from '../lab/postgres.ts';
import { Project } from '../migrate-db/project.ts';
import type { BundleRun } from '../run-bundle.ts';
import type { Stage } from './stage.ts';
import { plainSummary } from './terminal.ts';
import { type Felt, openReport, underLoad } from './traffic.ts';

const ROWS = 1_500_000;
const LOCK_TIMEOUT_MS = 500;
/** What a machine adds to a query that was kept waiting, besides what it is seen to take at its slowest anyway. */
const SLACK_MS = 300;

const FIRST = `CREATE TABLE shipments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL,
  weight int NOT NULL
);
`;
const DANGEROUS = `-- Which carrier brings a shipment, and weights beyond two million tons
ALTER TABLE shipments ADD COLUMN carrier_id int;
CREATE INDEX shipments_carrier ON shipments (carrier_id);
ALTER TABLE shipments ALTER COLUMN weight TYPE bigint;
`;
const SAFE = {
  'db/migrations/002_carrier.sql': `-- Which carrier brings a shipment, and weights beyond two million tons
ALTER TABLE shipments ADD COLUMN carrier_id int, ADD COLUMN weight_new bigint;
`,
  'db/migrations/003_carrier_index.sql': `-- migrate-db: no-transaction
CREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);
`,
};

/** A migration: judged in a pull request, made safe, and applied to a database that is used. */
export async function tellMigrate(stage: Stage): Promise<void> {
  const { title, say, quote, timed, own } = stage;
  say(
    'A team changes the schema of a database that is used all the time. PostgreSQL, the load and the action are real;',
  );
  say('STAND-IN: GitHub, which keeps the comment of the pull request, is played on loopback.');

  title('Production: a PostgreSQL of its own, with a table that a service uses');
  await bringPostgres();
  const host = { env: process.env, signal: new AbortController().signal, mask: () => undefined };
  const server = await timed('up', async () => startServer({}, host));
  own(async () => server.stop());
  const production = await server.createDatabase();
  const url = urlOf(production);
  const project = new Project();
  own(async () => project.remove());
  project.write('db/migrations/001_shipments.sql', FIRST);
  const base = project.commit('shipments');
  succeeded(await project.run({ mode: 'apply', 'database-url': url }));
  await ask(url, `INSERT INTO shipments (code, weight) SELECT 'S' || i, i % 900 FROM generate_series(1, ${ROWS}) i`);
  await ask(url, 'ANALYZE shipments');
  say(`${project.folder}: db/migrations/001_shipments.sql is applied; ${ROWS.toLocaleString('en')} rows`);
  succeeded(await project.run({ mode: 'plan', 'database-url': url, sizes: 'db/sizes.json' }));
  say('mode: plan wrote the sizes of its tables to db/sizes.json, for the checks of pull requests');
  project.commit('sizes of production');

  title('A pull request with this migration');
  quote(DANGEROUS);
  project.write('db/migrations/002_carrier.sql', DANGEROUS);
  project.commit('carriers');
  const github = await openGithub(stage);
  const check = async (): Promise<void> => {
    const inputs = { sizes: 'db/sizes.json', 'github-token': github.token };
    succeeded(await project.runOnPullRequest(base, inputs, github.url));
    say('The one comment on the pull request now says:');
    quote(plainSummary(github.comment()));
  };
  await check();

  title('The safe form, out of the comment');
  for (const [file, sql] of Object.entries(SAFE)) {
    project.write(file, sql);
    say(file);
    quote(sql);
  }
  project.commit('the safe form');
  await check();

  title('What the first form would have done: on a copy of the database, under load');
  const copy = { ...production, database: 'copy_of_production' };
  await ask(
    urlOf({ ...production, database: 'postgres' }),
    `CREATE DATABASE copy_of_production TEMPLATE ${production.database}`,
  );
  const dangerous = await underLoad(urlOf(copy), async () => ask(urlOf(copy), DANGEROUS));
  say(describeFelt(dangerous.felt));

  title('Merged: the safe form is applied under the same load, while somebody left a report open');
  const safe = await underLoad(url, async () => {
    const report = await openReport(url);
    try {
      const inputs = { mode: 'apply', 'database-url': url, 'lock-timeout': `${LOCK_TIMEOUT_MS}ms` };
      const running = project.start(inputs);
      // It is closed once the first try gave way to it.
      await running.said('try 1 of');
      await report.end();
      return await running.ended;
    } finally {
      await report.end();
    }
  });
  succeeded(safe.result);
  quote(plainSummary(safe.result.summary));
  say(describeFelt(safe.felt));
  say(
    `The lock timeout is ${LOCK_TIMEOUT_MS} ms: a query that stands behind a statement waits for that long at most, and for its own work.`,
  );
  if (safe.felt.slowest > LOCK_TIMEOUT_MS + SLACK_MS + 2 * safe.felt.usual)
    throw new Error('a query waited longer than the lock timeout');

  title('Applied again: nothing is done twice');
  const again = succeeded(await project.run({ mode: 'apply', 'database-url': url }));
  quote(plainSummary(again.summary));
  if (stage.keep) say(`the database is left running: ${url}`);
}

function succeeded(run: BundleRun): BundleRun {
  if (run.exitCode === 0) return run;
  throw new Error(`migrate-db ended with ${run.exitCode}:\n${run.log.slice(-4000)}`);
}

function describeFelt({ queries, slowest, slow, failed }: Felt): string {
  return `Of ${queries.toLocaleString('en')} queries of the service meanwhile the slowest took ${(slowest / 1000).toFixed(2)} s; ${slow} took more than 0.1 s, ${failed} failed.`;
}

interface Github {
  readonly url: string;
  readonly token: string;
  /** The newest comment of the pull request. */
  readonly comment: () => string;
}

async function openGithub({ own }: Stage): Promise<Github> {
  const token = 'ghs_demo';
  const answers = githubAnswers(token);
  const server = serve(0, { name: ({ method }) => method, answer: answers, faults: {}, settings: {} });
  own(async () => void server.close());
  await new Promise((resolve) => void server.once('listening', resolve));
  const url = new URL('http://lab/repos/acme/shop/issues/12/comments');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    comment() {
      const { body } = answers({ method: 'GET', url, headers: { authorization: `Bearer ${token}` }, body: '' });
      const [newest, ...others] = JSON.parse(body) as { readonly body: string }[];
      if (newest === undefined || others.length > 0) throw new Error('there is not the one comment');
      return newest.body.replace(/^<!--.*-->\n/, '');
    },
  };
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
