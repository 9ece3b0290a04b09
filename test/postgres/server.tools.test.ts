import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startServer } from '../../src/postgres/server.ts';
import { postgres, urlOf } from '../postgres.ts';

const host = (signal = new AbortController().signal): Parameters<typeof startServer>[1] => ({
  env: process.env,
  signal,
  mask: () => {},
});

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function until(holds: () => boolean, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('It did not come to be in time');
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}

describe('a throwaway server', () => {
  const { createDatabase } = postgres({ max_connections: '23' });

  test('takes sessions, has the settings asked for, and gives each asker a database of its own', async () => {
    const [one, other] = [await createDatabase(), await createDatabase()];
    await ask(urlOf(one), 'CREATE TABLE only_here (id int)');
    expect(await ask(urlOf(other), "SELECT to_regclass('only_here') AS there")).toEqual([{ there: null }]);
    expect(await ask(urlOf(other), "SELECT current_setting('max_connections') AS n")).toEqual([{ n: '23' }]);
  });

  test('lets nobody in without its password', async () => {
    const database = await createDatabase();
    await expect(ask(urlOf({ ...database, password: 'guessed' }), 'SELECT 1')).rejects.toThrow(
      'password authentication failed',
    );
  });
});

describe('what is left of a server', () => {
  let temp = '';
  beforeEach(() => {
    temp = mkdtempSync(path.join(tmpdir(), 'server-test-'));
    chmodSync(temp, 0o755);
  });
  afterEach(() => rmSync(temp, { recursive: true, force: true }));

  const left = (): readonly string[] => readdirSync(temp);
  /** Process id of the server in the folder; its first line, see pidfile.h. */
  const running = (): number => {
    const [folder = ''] = left();
    return Number(readFileSync(path.join(temp, folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  };

  test('nothing, neither process nor file, once it was stopped', async () => {
    const server = await startServer({ temp }, host());
    const pid = running();
    expect(process.kill(pid, 0)).toBe(true);
    await server.stop();
    await server.stop();
    expect(left()).toEqual([]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('nothing, even when the process that started it is killed', async () => {
    const program = `
      const { startServer } = await import('${path.resolve('src/postgres/server.ts')}');
      const host = { env: process.env, signal: new AbortController().signal, mask: () => {} };
      await startServer({ temp: '${temp}' }, host);
      console.log('started');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], { stdio: 'pipe' });
    await new Promise((resolve) => void child.stdout.once('data', resolve));
    const pid = running();
    child.kill('SIGKILL');
    await until(() => left().length === 0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('nothing, when it is cancelled while it starts', async () => {
    const controller = new AbortController();
    const starting = startServer({ temp }, host(controller.signal));
    await until(() => left().length > 0);
    controller.abort(new Error('cancelled'));
    await expect(starting).rejects.toThrow('cancelled');
    expect(left()).toEqual([]);
  });

  test('nothing, when it refuses a setting, which is told in its own words', async () => {
    const starting = startServer({ temp, settings: { max_connections: 'many' } }, host());
    await expect(starting).rejects.toThrow('invalid value for parameter "max_connections": "many"');
    expect(left()).toEqual([]);
  });
});
