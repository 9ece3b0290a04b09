// The spawned action on a real MariaDB. RDS is a stand-in that has every snapshot at once.
import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Connection } from '../../src/postgres/database.ts';
import { ask, mariadb } from '../mariadb.ts';
import { Project } from './project.ts';

// A few processes each, on machines that may be busy.
jest.setTimeout(120_000);

const server = mariadb();
let project: Project;
let connection: Connection;
let rds: Server;
let tablesThen: (readonly object[])[];

beforeEach(async () => {
  project = new Project();
  project.write(
    'db/migrations/001_parcels.sql',
    "CREATE TABLE parcels (id int PRIMARY KEY, code varchar(20) COMMENT 'Größe');\n",
  );
  connection = await server.createDatabase();
  tablesThen = [];
  rds = createServer((request, response) => {
    void taken(request).then((answer) => response.end(answer));
  }).listen(0, '127.0.0.1');
  await once(rds, 'listening');
});
afterEach(() => {
  project.remove();
  rds.close();
});

/** Answers CreateDBSnapshot, and looks what the database has by then. */
async function taken(request: IncomingMessage): Promise<string> {
  const name = new URLSearchParams(await text(request)).get('DBSnapshotIdentifier') ?? '';
  tablesThen.push(await ask(connection, 'SHOW TABLES'));
  const snapshot = `<DBSnapshotIdentifier>${name}</DBSnapshotIdentifier><Status>available</Status>`;
  return `<CreateDBSnapshotResponse><DBSnapshot>${snapshot}</DBSnapshot></CreateDBSnapshotResponse>`;
}

function inputs(): Readonly<Record<string, string>> {
  const { host, port, user, password, database } = connection;
  return { mode: 'apply', 'database-url': `mysql://${user}:${password}@${host}:${port}/${database}` };
}

test('what is pending is applied once, and a snapshot that was asked for is whole before that', async () => {
  const env = {
    AWS_ENDPOINT_URL_RDS: `http://127.0.0.1:${(rds.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
  };
  const more = { snapshot: 'rds:shop', region: 'eu-central-1' };
  const run = await project.run({ ...inputs(), ...more }, env);
  expect({ code: run.exitCode, verdict: run.outputs['verdict'] }).toEqual({ code: 0, verdict: 'applied' });
  expect(tablesThen).toEqual([[]]);
  expect(run.summary).toMatch(/\*\*Kept before:\*\* the snapshot `shop-before-migration-\d+-1`/);
  expect(run.summary).toContain('aws rds restore-db-instance-from-db-snapshot');
  expect(
    await ask(
      connection,
      "SELECT column_comment AS said FROM information_schema.columns WHERE column_name = 'code' AND table_schema = DATABASE()",
    ),
  ).toEqual([{ said: 'Größe' }]);
  const again = await project.run({ ...inputs(), ...more }, env);
  expect(again.outputs['verdict']).toBe('nothing');
  expect(tablesThen).toHaveLength(1);
});

test('pg_dump is for PostgreSQL, and nothing is applied without what was asked for', async () => {
  const run = await project.run({ ...inputs(), backup: 'pg_dump', 'backup-to': 'artifact' });
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain('backup: pg_dump is there for PostgreSQL alone');
  expect(await ask(connection, 'SHOW TABLES')).toEqual([]);
});
