// A team's own tool, a real shell script around psql, by the spawned action on a real PostgreSQL.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { postgres, urlOf } from '../postgres.ts';
import { Project } from './project.ts';

// A few processes each, on machines that may be busy.
jest.setTimeout(120_000);

/** Each file and its row in one transaction; what has a row is passed over. */
const MIGRATE = `#!/bin/sh
set -eu
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$DATABASE_URL" "$@"; }
sql -c 'CREATE TABLE IF NOT EXISTS change_log (script text PRIMARY KEY)'
for file in $(ls db/changes/*.sql | sort -t/ -k3n); do
  name=$(basename "$file")
  [ "$(sql -c "SELECT 1 FROM change_log WHERE script = '$name'")" = 1 ] && continue
  echo "runs $name with $1"
  sql --single-transaction -f "$file" -c "INSERT INTO change_log VALUES ('$name')"
done
`;
const COMMAND = { command: 'sh\nbin/migrate.sh\ntwo words; $(touch hacked)' };
const INPUTS = { ...COMMAND, directory: 'db/changes', history: 'change_log.script' };

let project: Project;
beforeEach(() => {
  project = new Project();
  project.write('bin/migrate.sh', MIGRATE);
  project.write('db/changes/README.md', 'No migration.');
  project.write('db/changes/1_shipments.sql', 'CREATE TABLE shipments (id bigint PRIMARY KEY, code varchar(20));\n');
  project.write('db/changes/2_weight.sql', 'ALTER TABLE shipments ADD COLUMN weight int;\n');
  project.write('db/changes/10_note.sql', 'ALTER TABLE shipments ADD COLUMN note text;\n');
});
afterEach(() => project.remove());

const { createDatabase } = postgres();

async function ask(url: string, sql: string): Promise<readonly object[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

const done = 'SELECT script FROM change_log ORDER BY script';

test('it is rehearsed and judged by what the server received, applied, and applied no second time', async () => {
  const connection = await createDatabase();
  const inputs = { ...INPUTS, 'database-url': urlOf(connection) };
  const plan = await project.run({ ...inputs, mode: 'plan' });
  expect(plan.outputs).toMatchObject({ risk: 'none', pending: '["1_shipments","2_weight","10_note"]' });
  expect(await ask(urlOf(connection), "SELECT to_regclass('change_log') AS log")).toEqual([{ log: null }]);
  const applied = await project.run({ ...inputs, mode: 'apply' });
  expect({ ...applied.outputs, code: applied.exitCode }).toMatchObject({ verdict: 'applied', code: 0 });
  const names = JSON.parse(applied.outputs['applied'] ?? '') as { readonly name: string }[];
  expect(names.map(({ name }) => name)).toEqual(['1_shipments', '2_weight', '10_note']);
  expect(applied.log).toContain('runs 2_weight.sql with two words; $(touch hacked)');
  expect(applied.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(connection.password);
  expect(project.git('status', '--short', 'hacked')).toBe('');
  expect(await ask(urlOf(connection), done)).toHaveLength(3);

  await ask(urlOf(connection), 'INSERT INTO shipments SELECT generate_series(1, 20000); ANALYZE shipments');
  project.write('db/changes/11_dangerous.sql', 'CREATE INDEX by_weight ON shipments (weight);\n');
  const again = await project.run({ ...inputs, mode: 'apply', 'expect-risk': 'low' });
  expect(again.summary).toContain('the risk is high, and low was agreed to');
  const agreed = await project.run({ ...inputs, mode: 'apply', 'expect-risk': 'high' });
  expect(agreed.outputs).toMatchObject({ verdict: 'applied', pending: '["11_dangerous"]' });
  const last = await project.run({ ...inputs, mode: 'apply' });
  expect(last.outputs).toMatchObject({ verdict: 'nothing', pending: '[]' });
  expect(last.log).not.toContain('runs ');
});

test('it finds its database by names of its own, in the rehearsal too', async () => {
  const url = urlOf(await createDatabase());
  const own = 'PGPASSWORD="$SHOP_DB_WORD" psql -h "$SHOP_DB_HOST" -p "$SHOP_DB_PORT" -U "$SHOP_DB_USER" -d "$SHOP_DB"';
  project.write('bin/migrate.sh', MIGRATE.replace('psql', own).replace('"$DATABASE_URL"', ''));
  const names = [
    'SHOP_DB_HOST=host',
    'SHOP_DB_PORT=port',
    'SHOP_DB_USER=user',
    'SHOP_DB_WORD=password',
    'SHOP_DB=database',
  ];
  const inputs = { ...INPUTS, 'database-url': url, mode: 'apply' };
  const applied = await project.run({ ...inputs, 'database-env': names.join('\n') });
  expect(applied.outputs).toMatchObject({ verdict: 'applied', risk: 'none' });
  expect(await ask(url, done)).toHaveLength(3);
  const wrong = await project.run({ ...inputs, 'database-env': 'SHOP_DB_HOST=server' });
  expect(wrong.log).toContain('input database-env');
  expect(wrong.log).toContain('part is one of url, host, port, user, password, database');
});

test('where one fails, what was applied before it stays, and the rest follows once it is mended', async () => {
  const url = urlOf(await createDatabase());
  const inputs = { ...INPUTS, 'database-url': url, mode: 'apply', rehearse: 'false' };
  project.write('db/changes/11_breaks.sql', 'ALTER TABLE shipments ADD COLUMN ok int;\nSELECT 1/0;\n');
  const failed = await project.run(inputs);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.outputs['verdict']).toBe('failed');
  expect(failed.summary).toMatch(/### ❌ `11_breaks` could not be applied to .* — 3 of 4 applied/);
  expect(failed.summary).toContain('division by zero');
  expect(await ask(url, done)).toHaveLength(3);
  project.write('db/changes/11_breaks.sql', 'ALTER TABLE shipments ADD COLUMN ok int;\n');
  expect((await project.run(inputs)).outputs).toMatchObject({ verdict: 'applied', pending: '["11_breaks"]' });
});

test('a pull request is told the locks of the new file, by a rehearsal of all', async () => {
  const run = await project.run({ ...INPUTS, mode: 'check', 'all-files': 'true', comment: 'false' });
  expect(run.exitCode).toBe(0);
  expect(run.outputs).toMatchObject({ verdict: 'safe', risk: 'none' });
  expect(run.summary).toContain('Rehearsed');
});

test.each([
  [{ history: '' }, 'input history is missing'],
  [{ history: 'change_log; DROP TABLE x' }, 'table.column or schema.table.column'],
  [{ directory: '.' }, 'input directory is missing'],
  [{ directory: 'db/nowhere' }, 'there is no folder db/nowhere in the repository'],
  [{ tool: 'knex' }, 'input command does not go with tool: knex'],
  [{ dialect: 'mysql' }, 'input command does not go with dialect: mysql'],
])('%j is refused with what to give', async (more, message) => {
  const run = await project.run({ ...INPUTS, ...more, mode: 'check' });
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain(message);
});

test('a program that is not there is named', async () => {
  const run = await project.run({ ...INPUTS, command: './bin/nowhere', mode: 'check', 'all-files': 'true' });
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain('./bin/nowhere');
});
