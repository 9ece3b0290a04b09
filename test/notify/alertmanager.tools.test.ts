// A real Alertmanager on loopback: which alerts are silent, and when they speak again.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { notifiers } from '../../src/notify/notifiers.ts';
import { install, mayInstall } from '../lab/debian.ts';
import { locked } from '../lab/lock.ts';
import { bringMissing } from '../lab/missing.ts';
import { freePort } from '../lab/ports.ts';
import { listeningHost, moment } from './conversation.ts';

const PROGRAM = '/usr/bin/prometheus-alertmanager';
let folder = '';
let url = '';
let server: ChildProcess;

beforeAll(async () => {
  const missing = async () => (existsSync(PROGRAM) ? [] : [{ what: PROGRAM, packages: ['prometheus-alertmanager'] }]);
  const part = { name: 'Alertmanager', missing };
  await locked('debian packages', async () => bringMissing([part], mayInstall() ? install : undefined));
  folder = await mkdtemp(path.join(tmpdir(), 'alertmanager-'));
  const config = path.join(folder, 'config.yml');
  await writeFile(config, JSON.stringify({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] }));
  url = `http://127.0.0.1:${await freePort()}`;
  server = spawn(
    PROGRAM,
    [
      `--config.file=${config}`,
      `--storage.path=${path.join(folder, 'data')}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  await until(async () => (await fetch(`${url}/-/ready`)).ok);
}, 600_000);
afterAll(async () => {
  server.kill('SIGTERM');
  await new Promise((resolve) => void server.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const { id } of await silences()) await fetch(`${url}/api/v2/silence/${id}`, { method: 'DELETE' });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error('it did not come to hold within 10 s');
}

interface Silence {
  readonly id: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly comment: string;
  readonly status: { readonly state: string };
}

async function silences(): Promise<readonly Silence[]> {
  const all = (await (await fetch(`${url}/api/v2/silences`)).json()) as Silence[];
  return all.filter(({ status }) => status.state !== 'expired');
}

/** Fires an alert with these labels and gives whether it is silent. */
async function isSilent(labels: Record<string, string>): Promise<boolean> {
  const name = `alert-${Math.random()}`;
  const alert = { labels: { alertname: name, ...labels }, startsAt: new Date().toISOString() };
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify([alert]) });
  let state: string | undefined;
  await until(async () => {
    const filter = encodeURIComponent(`alertname="${name}"`);
    const found = (await (await fetch(`${url}/api/v2/alerts?filter=${filter}`)).json()) as {
      status: { state: string };
    }[];
    state = found[0]?.status.state;
    return state === 'active' || state === 'suppressed';
  });
  return state === 'suppressed';
}

const telling = () => {
  const heard = listeningHost();
  return { ...heard, notifier: notifiers({ alertmanager: { url, secrets: [] } }, heard.host) };
};

test("the alerts of the canary's own pods are silent while it runs, and no others", async () => {
  const { notifier, warnings } = telling();
  await notifier.tell(moment('started'));
  expect(await isSilent({ namespace: 'shop', pod: 'tracking-api-canary-5d8f-x2x4z' })).toBe(true);
  expect(await isSilent({ namespace: 'shop', pod: 'tracking-api-5d8f-x2x4z' })).toBe(false);
  expect(await isSilent({ namespace: 'shop', pod: 'a-tracking-api-canary-5d8f' })).toBe(false);
  expect(await isSilent({ namespace: 'billing', pod: 'tracking-api-canary-5d8f-x2x4z' })).toBe(false);
  expect(await isSilent({ namespace: 'shop' })).toBe(false);
  await notifier.tell(moment('taken-back'));
  expect(await isSilent({ namespace: 'shop', pod: 'tracking-api-canary-5d8f-x2x4z' })).toBe(false);
  expect(await silences()).toEqual([]);
  expect(warnings).toEqual([]);
});

test('it ends by itself within ten minutes, and is renewed while the canary goes on', async () => {
  const { notifier, time } = telling();
  await notifier.tell(moment('started'));
  const [first] = await silences();
  const lasts = Date.parse(first?.endsAt ?? '') - Date.now();
  expect(lasts).toBeGreaterThan(9 * 60_000);
  expect(lasts).toBeLessThanOrEqual(10 * 60_000);
  notifier.goesOn();
  time.moved = 5 * 60_000;
  notifier.goesOn();
  await until(async () => (await silences())[0]?.endsAt !== first?.endsAt);
  const renewed = await silences();
  expect(renewed).toMatchObject([{ id: first?.id, startsAt: first?.startsAt }]);
  expect(Date.parse(renewed[0]?.endsAt ?? '') - Date.parse(first?.endsAt ?? '')).toBeGreaterThanOrEqual(5 * 60_000);
});

test('a run that resumes finds it again, and the end of one canary leaves that of another', async () => {
  await telling().notifier.tell(moment('started'));
  await telling().notifier.tell(moment('started', { workload: 'billing', canaryPods: 'billing-canary-.*' }));
  const before = await silences();
  const { notifier } = telling();
  await notifier.tell(moment('resumed', { runUrl: 'https://github.com/acme/shop/actions/runs/8' }));
  expect((await silences()).map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted());
  await notifier.tell(moment('promoted'));
  expect((await silences()).map(({ comment }) => comment)).toEqual([
    expect.stringMatching(/^canary of shop\/billing begun 2026-11-25T03:00:00.000Z \(v1.4.2\) https:/),
  ]);
});

test.each(['.*', 'tracking-api-.*', '(tracking-api-canary-.*)?', 'tracking-api.*'])(
  'a pattern that fits more than the canary is refused: %s',
  async (canaryPods) => {
    const { notifier, warnings } = telling();
    await notifier.tell(moment('started', { canaryPods }));
    expect(warnings).toEqual([expect.stringContaining("of the canary's pods fits others too")]);
    expect(await silences()).toEqual([]);
  },
);
