import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { install, mayInstall } from '../lab/debian.ts';
import { locked } from '../lab/lock.ts';
import { bringMissing } from '../lab/missing.ts';
import { freePort } from '../lab/ports.ts';

const PROGRAM = '/usr/bin/prometheus';

/** A real Prometheus on loopback that scrapes every 500 ms what `metrics` gives then. */
export async function startPrometheus(
  metrics: () => Promise<string>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const missing = async () => (existsSync(PROGRAM) ? [] : [{ what: PROGRAM, packages: ['prometheus'] }]);
  const part = { name: 'Prometheus', missing };
  await locked('debian packages', async () => bringMissing([part], mayInstall() ? install : undefined));
  const target = createServer((_, response) => {
    void metrics().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => void target.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(path.join(tmpdir(), 'prometheus-'));
  const config = path.join(folder, 'prometheus.yml');
  const scraped = `127.0.0.1:${(target.address() as AddressInfo).port}`;
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '400ms' },
      scrape_configs: [{ job_name: 'pods', static_configs: [{ targets: [scraped] }] }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    PROGRAM,
    [`--config.file=${config}`, `--storage.tsdb.path=${path.join(folder, 'data')}`, `--web.listen-address=${address}`],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    target.closeAllConnections();
    target.close();
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 150; tries += 1) {
    // It is ready some seconds before it begins to scrape.
    const answer = await fetch(`http://${address}/api/v1/query?query=up`).catch(() => undefined);
    if ((await answer?.text())?.includes('"1"') === true) return { url: `http://${address}`, stop };
    await sleep(100);
  }
  await stop();
  throw new Error('Prometheus does not scrape after 15 s');
}
