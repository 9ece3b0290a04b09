// What belongs after the deploy, where a Job of the cluster would apply all that is pending.
import { expect, test } from '@jest/globals';
import type { Host } from '../../src/action/host.ts';
import type { MigrateInputs } from '../../src/migrate-db/inputs.ts';
import { jobMode } from '../../src/migrate-db/job-mode.ts';
import { foundSql, sql } from '../../src/migration/tools/sql.ts';
import { migrationsOf } from '../apply/scene.ts';

const given = {
  mode: 'apply',
  runIn: 'kubernetes',
  phase: 'expand',
  workload: 'Deployment/api',
  command: ['migrate'],
  allFiles: true,
  rehearse: false,
  sizes: '',
  expectRisk: '',
  expectPending: undefined,
} as unknown as MigrateInputs;
const host = { log: { warning: () => {} }, env: {} } as unknown as Host;

test('is not applied before it by phase: expand', async () => {
  const migrations = migrationsOf([
    ['1_add', 'ALTER TABLE shipments ADD COLUMN weight int;'],
    ['2_drop', 'ALTER TABLE shipments DROP COLUMN carrier;'],
  ]);
  const set = { found: foundSql('migrations', ''), tool: sql, migrations };
  await expect(jobMode(given, [set], host)).rejects.toThrow(/nothing was applied: 2_drop belongs after the deploy/);
});
