import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const GIVE_UP_MS = 10_000;

/** The middle value; with an even count, the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** Milliseconds until `node -e 0` has ended: what no JavaScript action can undercut. */
export async function bareNode(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('close', resolve));
  return performance.now() - started;
}

/**
 * Milliseconds from the start of a bundle until it first connects to a service it works with; every service it
 * knows is this process. `undefined` when it ends without a connection.
 */
export async function firstRequest(bundle: string, action: string): Promise<number | undefined> {
  const home = mkdtempSync(path.join(tmpdir(), 'delivery-actions-bench-'));
  const server = createServer((socket) => socket.destroy());
  const first = new Promise<number>((resolve) => server.once('connection', () => resolve(performance.now())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const started = performance.now();
  const child = spawn(process.execPath, [bundle], { stdio: 'ignore', cwd: home, env: environment(action, url, home) });
  const ended = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)));
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  const at = await Promise.race([first, ended]);
  clearTimeout(timer);
  child.kill('SIGKILL');
  await ended;
  server.close();
  rmSync(home, { recursive: true, force: true });
  return at === undefined ? undefined : at - started;
}

function environment(action: string, url: string, home: string): NodeJS.ProcessEnv {
  writeFileSync(path.join(home, 'app.yaml'), CONFIG_MAP);
  const inputs = INPUTS[action] ?? {};
  return {
    PATH: process.env['PATH'],
    HOME: home,
    RUNNER_TEMP: home,
    GITHUB_WORKSPACE: home,
    GITHUB_API_URL: url,
    ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?v=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request',
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
  };
}

const INPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'deploy-eks': { cluster: 'bench', region: 'eu-central-1', manifests: 'app.yaml', namespace: 'default' },
};

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bench\n';
