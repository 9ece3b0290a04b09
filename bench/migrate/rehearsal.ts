// A rehearsal from nothing: a server is made, 50 migrations are applied and watched, and taken back and applied again.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { localExec } from '../../src/action/exec.ts';
import { workflowLog } from '../../src/action/log.ts';
import type { Migration } from '../../src/migration/migration.ts';
import { sql } from '../../src/migration/tools/sql.ts';
import { startServer } from '../../src/postgres/server.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { median } from '../cold-start.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const TARGET_SECONDS = 10;
const MIGRATIONS = 50;

/** Measures and prints. */
export async function benchRehearsal(): Promise<void> {
  console.log(`rehearsal of ${MIGRATIONS} migrations by their SQL, from no server to the answer; ${ROUNDS} rounds\n`);
  for (const [name, reverse] of [
    ['up', false],
    ['up, down, up', true],
  ] as const) {
    const times: { readonly start: number; readonly all: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(await once(reverse));
    const all = median(times.map((one) => one.all));
    const start = median(times.map((one) => one.start));
    const verdict = all <= TARGET_SECONDS ? 'met' : 'MISSED';
    console.log(
      `| ${name} | ${all.toFixed(2)} s | of it the server's start ${start.toFixed(2)} s | <= ${TARGET_SECONDS} s: ${verdict} |`,
    );
  }
}

async function once(reverse: boolean): Promise<{ readonly start: number; readonly all: number }> {
  const workspace = mkdtempSync(path.join(tmpdir(), 'bench-rehearsal-'));
  const { signal } = new AbortController();
  const migrations = written(workspace);
  const began = performance.now();
  const server = await startServer({}, { env: process.env, signal, mask: () => {} });
  try {
    const start = (performance.now() - began) / 1000;
    const told = await rehearse(
      {
        workspace,
        found: { tool: 'sql', project: '', directory: 'migrations', reason: 'a benchmark', settings: {} },
        tool: sql,
        migrations,
        pending: new Set(migrations.map(({ id }) => id)),
        server,
        runBy: 'sql',
        reverse,
        timeouts: { statement: 60, tool: 60 },
      },
      {
        exec: localExec(process.env, signal),
        log: workflowLog(() => {}),
        clock: { now: () => Date.now(), sleep: async (ms) => sleep(ms) },
        signal,
        env: process.env,
      },
    );
    await server.stop();
    const all = (performance.now() - began) / 1000;
    const same = told.migrations.every(({ reversed }) => reversed?.same === (reverse ? true : undefined));
    if (told.failed !== undefined || told.migrations.length !== MIGRATIONS || !same) {
      throw new Error(`the rehearsal went wrong: ${told.failed?.message ?? 'a way back differs'}`);
    }
    return { start, all };
  } finally {
    await server.stop();
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** A service's history: tables, columns, foreign keys, indexes built beside others, backfills, types. */
function written(workspace: string): readonly Migration[] {
  mkdirSync(path.join(workspace, 'migrations'));
  return Array.from({ length: MIGRATIONS }, (_, i) => {
    const at = Math.floor(i / 5);
    const [up, down, transaction] = (
      [
        [
          `CREATE TABLE orders_${at} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text, total numeric(10,2));\nINSERT INTO orders_${at} (state, total) SELECT 'new', n FROM generate_series(1, 1000) AS n;`,
          `DROP TABLE orders_${at};`,
          true,
        ],
        [
          `ALTER TABLE orders_${at} ADD COLUMN carrier int, ADD COLUMN note varchar(20);\nUPDATE orders_${at} SET carrier = id % 7;`,
          `ALTER TABLE orders_${at} DROP COLUMN carrier, DROP COLUMN note;`,
          true,
        ],
        [
          `CREATE INDEX CONCURRENTLY orders_${at}_carrier ON orders_${at} (carrier);`,
          `DROP INDEX CONCURRENTLY orders_${at}_carrier;`,
          false,
        ],
        [
          `ALTER TABLE orders_${at} ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\nALTER TABLE orders_${at} VALIDATE CONSTRAINT total_positive;`,
          `ALTER TABLE orders_${at} DROP CONSTRAINT total_positive;`,
          true,
        ],
        [
          `ALTER TABLE orders_${at} ALTER COLUMN carrier TYPE bigint;\nCREATE VIEW open_${at} AS SELECT id FROM orders_${at} WHERE state = 'new';`,
          `DROP VIEW open_${at};\nALTER TABLE orders_${at} ALTER COLUMN carrier TYPE int;`,
          true,
        ],
      ] as const
    )[i % 5] ?? ['', '', true];
    const name = String(i + 1).padStart(4, '0');
    const file = `migrations/${name}.sql`;
    writeFileSync(path.join(workspace, file), up);
    const script = { file, firstLine: 1, transaction };
    return {
      id: name,
      name,
      file,
      checksum: createHash('sha256').update(up).digest('hex'),
      up: { ...script, sql: up },
      down: { ...script, sql: down },
      reversible: true,
    };
  });
}
