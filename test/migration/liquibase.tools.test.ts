// Real Liquibase on a real server, by the Maven plugin of its example.
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import type { Command } from '../../src/migration/tool.ts';
import { bringPrograms, example } from './example.ts';
import { cancelWaiting, mend, succeed, upAndDown } from './up-and-down.ts';

describe('Liquibase', () => {
  beforeAll(async () => bringPrograms({ mvn: 'maven' }), 300_000);
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

  test('does the same by its own program, which is told by the environment', async () => {
    const { tool, migrations, workspace, ...rest } = liquibase.of();
    const { maven: _, ...settings } = rest.found.settings;
    const found = { ...rest.found, settings };
    const database = await liquibase.database();
    const bin = await program(workspace);
    const run = async (command: Command | undefined): Promise<void> => {
      const env = { ...command?.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
      succeed(await database.run(command && { ...command, env }));
    };
    await run(tool.upTo?.(found, database.address, migrations.slice(0, 2)));
    expect((await database.applied()).map(({ id }) => id)).toEqual(migrations.slice(0, 2).map(({ id }) => id));
    await run(tool.down?.(found, database.address, migrations.slice(0, 2)));
    await run(tool.up?.(found, database.address));
    expect((await database.applied()).map(({ id }) => id)).toEqual(migrations.map(({ id }) => id));
  }, 300_000);
});

/** Liquibase's program as its release starts it, out of its published parts. */
async function program(workspace: string): Promise<string> {
  const bin = path.join(workspace, 'bin');
  await mkdir(bin);
  const part = (group: string, name: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  const parts = [
    part('org.liquibase', 'liquibase-core', '4.33.0'),
    part('info.picocli', 'picocli', '4.7.7'),
    part('org.postgresql', 'postgresql', '42.7.14'),
  ];
  await writeFile(
    path.join(bin, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>a</groupId>
      <artifactId>a</artifactId><version>1</version><packaging>pom</packaging>
      <dependencies>${parts.join('')}</dependencies></project>`,
  );
  const args = ['--batch-mode', '--quiet', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'];
  await promisify(execFile)('mvn', args, { cwd: bin, timeout: 200_000 });
  const classpath = await readFile(path.join(bin, 'classpath'), 'utf8');
  const main = 'liquibase.integration.commandline.LiquibaseCommandLine';
  await writeFile(path.join(bin, 'liquibase'), `#!/bin/sh\nexec java -cp '${classpath}' ${main} "$@"\n`, {
    mode: 0o755,
  });
  return bin;
}
