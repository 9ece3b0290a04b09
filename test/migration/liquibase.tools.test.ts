// Real Liquibase on a real server, by the Maven plugin of its example.
import { describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { example } from './example.ts';
import { cancelWaiting, mend, succeed, upAndDown } from './up-and-down.ts';

describe('Liquibase', () => {
  const liquibase = example('liquibase');
  upAndDown(liquibase);

  test('that was cancelled leaves its lock, which is told and mended', async () => {
    const { tool, found, migrations } = liquibase.of();
    const database = await liquibase.database();
    succeed(await database.run(tool.upTo?.(found, database.address, migrations.slice(0, 1))));
    const up = tool.up?.(found, database.address);
    await cancelWaiting(database, up, 'claims');
    const left = await leftoversOf(database.session, found, migrations);
    expect(left.map(({ what }) => what)).toEqual([expect.stringMatching(/held by .+ since 20/)]);
    expect(await mend(database, left)).toEqual(['liquibase-lock']);
    // Outside of a transaction, what was cancelled leaves an index that is invalid.
    await database.session.query('DROP INDEX IF EXISTS claims_by_shipment');
    succeed(await database.run(up));
    expect(await database.applied()).toHaveLength(migrations.length);
  }, 300_000);
});
