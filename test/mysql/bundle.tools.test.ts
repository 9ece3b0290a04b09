// The bundled driver, of which scripts/lean-mysql.ts leaves half out, beside the whole one: the same from real servers,
// whatever their own encoding is.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../../scripts/bundle.ts';
import { systemClock } from '../../src/action/main.ts';
import { connectMysql } from '../../src/mysql/connect.ts';
import { type MariadbServer, mariadb } from '../mariadb.ts';

let folder: string;
let bundled: typeof connectMysql;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bundle-'));
  await bundle({ connect: 'src/mysql/connect.ts' }, folder);
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}\n');
  ({ connectMysql: bundled } = (await import(path.join(folder, 'connect.js'))) as {
    readonly connectMysql: typeof connectMysql;
  });
}, 60_000);
afterAll(async () => rm(folder, { recursive: true }));

const STATEMENTS = [
  "CREATE TABLE words (old varchar(20) CHARACTER SET latin1, odd varchar(20) CHARACTER SET cp850, raw varbinary(20)) COMMENT 'Straße'",
  "INSERT INTO words VALUES ('Grüße', 'Öl', x'ff00')",
  'SELECT * FROM words',
  "SELECT 'a 😀 ü' AS `Größe`, 12345678901234567890 AS number",
  'SHOW CREATE TABLE words',
  'SET SESSION character_set_results = latin1',
  'SELECT old FROM words',
  "SELECT 'x' FROM `nirgendwö`",
  "INSERT INTO words VALUES ('zu lang für diese schmale Spalte', '', '')",
  'SELEC 1',
];

/** What a session answers to all of them, refusals too. */
async function answers(connect: typeof connectMysql, server: MariadbServer): Promise<readonly unknown[]> {
  const connection = await server.createDatabase();
  const { signal } = new AbortController();
  const session = await connect(connection, { signal, clock: systemClock, timeouts: { connect: 5000, retry: 0 } });
  const found: unknown[] = [session.flavour, session.version];
  for (const sql of STATEMENTS) {
    const rows = await session
      .query(sql)
      .catch(({ message, code, errno }: Record<string, unknown>) => ({ message, code, errno }));
    found.push(JSON.stringify(rows).replaceAll(connection.database, 'shop'));
  }
  await session.query('SET NAMES utf8mb4');
  found.push(await session.query('SELECT ? AS text, ? AS number, ? AS none', ["ü'😀\\", 4, null]));
  await session.close();
  return found;
}

describe.each(['utf8mb4', 'latin1', 'gbk', 'cp850', 'koi8u'])('a server of %s', (encoding) => {
  const server = mariadb({ 'character-set-server': encoding });
  test('answers the bundle as it answers the whole driver', async () => {
    const [whole, lean] = [await answers(connectMysql, server), await answers(bundled, server)];
    expect(lean).toEqual(whole);
    expect(lean).toContain('[{"Größe":"a 😀 ü","number":"12345678901234567890"}]');
    expect(lean.at(-1)).toEqual([{ text: "ü'😀\\", number: 4, none: null }]);
  });
});

test('what is left out makes up most of it', async () => {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
});
