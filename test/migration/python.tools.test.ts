// The examples' own Alembic and Django, installed by their lockfiles, on a real server.
import { describe, expect, test } from '@jest/globals';
import { example, pip } from './example.ts';
import { succeed, upAndDown } from './up-and-down.ts';

describe('Alembic', () => {
  const alembic = example('alembic', pip);
  upAndDown(alembic);

  test('refuses two heads, which are told before', async () => {
    const { tool, found, read, remove, write } = alembic.of();
    const database = await alembic.database();
    const file = 'alembic/versions/ffff00000001_other_branch.py';
    await write(
      file,
      'revision = "ffff00000001"\ndown_revision = "3e9d7750c1aa"\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n',
    );
    try {
      const refused = await database.run(tool.up?.(found, database.address));
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr + refused.stdout).toContain('Multiple head');
      const migrations = await read();
      expect(tool.check(migrations, await database.applied())).toMatchObject([
        { code: 'migration-number-twice', place: { file: `services/own/${file}` } },
      ]);
      expect(migrations.filter(({ reversible }) => !reversible).map(({ id }) => id)).toEqual(['ffff00000001']);
    } finally {
      await remove(file);
    }
  }, 120_000);
});

describe('Django', () => {
  const django = example('django', pip);
  upAndDown(django);

  test('refuses two that are the last of one app, which are told before', async () => {
    const { tool, found, read, remove, write } = django.of();
    const database = await django.database();
    const file = 'orders/migrations/0002_other_branch.py';
    await write(
      file,
      'from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [("orders", "0001_initial")]\n    operations = []\n',
    );
    try {
      const refused = await database.run(tool.up?.(found, database.address));
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr + refused.stdout).toContain('Conflicting migrations');
      expect(tool.check(await read(), await database.applied())).toMatchObject([{ code: 'migration-number-twice' }]);
    } finally {
      await remove(file);
    }
  }, 120_000);

  test('refuses one that an applied one came to need, which is told before', async () => {
    const { tool, found, read, remove, write } = django.of();
    const database = await django.database();
    succeed(await database.run(tool.up?.(found, database.address)));
    const head = 'from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n';
    const first = 'warehouse/migrations/0000_before.py';
    const text = await django.of().text('warehouse/migrations/0001_initial.py');
    await write(first, `${head}    dependencies = []\n    operations = []\n`);
    await write(
      'warehouse/migrations/0001_initial.py',
      text.replace('dependencies = []', 'dependencies = [("warehouse", "0000_before")]'),
    );
    try {
      expect(tool.check(await read(), await database.applied())).toMatchObject([
        { code: 'migration-out-of-order', severity: 'error', place: { file: `services/own/${first}` } },
      ]);
      const refused = await database.run(tool.up?.(found, database.address));
      expect(refused.stderr + refused.stdout).toContain('InconsistentMigrationHistory');
    } finally {
      await write('warehouse/migrations/0001_initial.py', text);
      await remove(first);
    }
  }, 120_000);
});
