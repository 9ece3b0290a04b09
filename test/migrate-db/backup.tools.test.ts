// The dump before a migration, by the spawned action: taken of a real PostgreSQL, and brought back by the commands that
// the summary shows. S3 and GitHub's artifact service are stand-ins, which keep what they are sent.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import type { Connection } from '../../src/postgres/database.ts';
import { artifactService } from '../artifact/service.ts';
import { postgres, urlOf } from '../postgres.ts';
import type { BundleRun } from '../run-bundle.ts';
import { Project } from './project.ts';

// A few processes each, on machines that may be busy.
jest.setTimeout(120_000);

const { createDatabase } = postgres();
let project: Project;
let connection: Connection;
let s3: Server;
let objects: Map<string, Buffer>;

beforeEach(async () => {
  project = new Project();
  project.write('db/migrations/001_drop.sql', 'DROP TABLE parcels;\n');
  connection = await createDatabase();
  await ask(
    connection,
    "CREATE TABLE parcels AS SELECT n AS id, 'parcel ' || n AS code FROM generate_series(1, 1000) n",
  );
  objects = new Map();
  s3 = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const agrees = createHash('sha256').update(body).digest('hex') === request.headers['x-amz-content-sha256'];
      if (agrees && request.method === 'PUT') objects.set(request.url ?? '', body);
      response.writeHead(agrees ? 200 : 400, { etag: '"1"' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(s3, 'listening');
});
afterEach(() => {
  project.remove();
  s3.close();
});

async function ask(where: Connection, sql: string): Promise<readonly object[]> {
  const client = new Client(urlOf(where));
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function applied(
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<BundleRun> {
  const base = { mode: 'apply', rehearse: 'false', 'database-url': urlOf(connection), backup: 'pg_dump' };
  return project.run({ ...base, ...inputs }, env);
}

const aws = (): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(s3.address() as AddressInfo).port}`,
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'example',
});
const TO_S3 = { 'backup-to': 's3://backups/shop/before', region: 'eu-central-1' };

/** Runs the commands of the summary from the second on: the first fetches the file, which is put there instead. */
async function restored(summary: string, file: string, dump: Buffer): Promise<readonly object[]> {
  const [, commands = ''] = /```sh\n(.*?)```/s.exec(summary) ?? [];
  const [, ...rest] = commands.trim().split('\n');
  writeFileSync(path.join(project.folder, file), dump);
  const { host, port, user, password, database } = connection;
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  execFileSync('bash', ['-euc', rest.join('\n')], { cwd: project.folder, env });
  return ask(
    { ...connection, database: `${database}_before` },
    'SELECT count(*)::int AS rows, max(code) AS code FROM parcels',
  );
}

test('it lies in S3 before anything is applied, and comes back by the commands of the summary', async () => {
  const run = await applied(TO_S3, aws());
  expect({ code: run.exitCode, verdict: run.outputs['verdict'] }).toEqual({ code: 0, verdict: 'applied' });
  expect(await ask(connection, "SELECT to_regclass('parcels') AS there")).toEqual([{ there: null }]);
  const [[key = '', dump] = []] = objects;
  expect(key).toMatch(/^\/backups\/shop\/before\/\w+-before-migration-\d+-1\.dump$/);
  expect(run.summary).toContain(`**Kept before:** the dump \`s3:/${key}\``);
  expect(run.summary).toContain('aws s3 cp --region eu-central-1 s3:/');
  expect(await restored(run.summary, path.basename(key), dump ?? Buffer.alloc(0))).toEqual([
    { rows: 1000, code: 'parcel 999' },
  ]);
});

test('it may be an artifact of the run, and comes back out of it', async () => {
  const service = await artifactService();
  const run = await applied({ 'backup-to': 'artifact' }, service.env);
  await service.close();
  expect({ code: run.exitCode, verdict: run.outputs['verdict'] }).toEqual({ code: 0, verdict: 'applied' });
  const [[name = '', zip] = []] = service.kept;
  expect(run.summary).toContain(`gh run download`);
  expect(run.summary).toContain(`--name ${name}`);
  const archive = path.join(project.folder, 'kept.zip');
  writeFileSync(archive, zip ?? '');
  execFileSync('python3', ['-m', 'zipfile', '-e', archive, path.join(project.folder, 'out')]);
  const file = `${connection.database}.dump`;
  const dump = readFileSync(path.join(project.folder, 'out', file));
  expect(await restored(run.summary, file, dump)).toEqual([{ rows: 1000, code: 'parcel 999' }]);
});

/** A pg_dump in the place of the real one, where PATH comes first: it tells how it was started. */
function standIn(version: string, body: string): Readonly<Record<string, string>> {
  const folder = path.join(project.folder, 'bin');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'pg_dump');
  writeFileSync(
    file,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 'pg_dump (PostgreSQL) ${version}'; exit; fi\n${body}\n`,
  );
  chmodSync(file, 0o755);
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
}

test('neither the arguments nor the environment of pg_dump have the password of the database', async () => {
  const env = standIn('15.99', `{ echo "$@"; env; } > '${project.folder}/told'; exit 1`);
  const run = await applied(TO_S3, { ...aws(), ...env });
  const told = readFileSync(path.join(project.folder, 'told'), 'utf8');
  expect(told).toContain('--format=custom');
  expect(told).toContain('PGPASSWORD=');
  expect(told).not.toContain(connection.password);
  expect(run.exitCode).toBe(1);
});

test('where it fails, takes too long or is not readable, nothing is applied', async () => {
  for (const [body, message] of [
    ['echo "permission denied for table parcels" >&2; exit 1', 'permission denied for table parcels'],
    ['exec sleep 60', 'pg_dump did not end within 10 s'],
    ['for a in "$@"; do case $a in --file=*) echo broken > "${a#--file=}";; esac; done', 'pg_restore'],
  ] as const) {
    const run = await applied({ ...TO_S3, 'backup-timeout': '10s' }, { ...aws(), ...standIn('15.99', body) });
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain(message);
  }
  expect(objects.size).toBe(0);
  expect(await ask(connection, 'SELECT count(*)::int AS rows FROM parcels')).toEqual([{ rows: 1000 }]);
});

test.each<[Readonly<Record<string, string>>, string]>([
  [{}, 'input backup-to is missing'],
  [{ 'backup-to': 's3://shop/$(id)' }, 's3://bucket/prefix, or artifact'],
  [{ 'backup-to': 's3://backups' }, 'nothing says in which region'],
  [{ ...TO_S3, snapshot: 'rds:shop' }, 'inputs backup and snapshot are both given'],
])('%j is refused, and nothing is applied', async (inputs, message) => {
  const run = await applied(inputs, aws());
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain(message);
  expect(await ask(connection, 'SELECT count(*)::int AS rows FROM parcels')).toEqual([{ rows: 1000 }]);
});

test('a public repository gets no artifact, which everybody could download', async () => {
  project.write('event.json', '{"repository":{"private":false}}');
  const env = { GITHUB_EVENT_PATH: path.join(project.folder, 'event.json') };
  const run = await applied({ 'backup-to': 'artifact' }, env);
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain('would publish the database');
});
