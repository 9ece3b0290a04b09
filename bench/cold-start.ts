import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Scenario } from './scenarios.ts';

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
 * Milliseconds from the start of a bundle until it has asked for what the scenario ends with; every service it knows is
 * this process, which answers at once what comes before. `undefined` when it ends without having asked.
 */
export async function untilAsked(bundle: string, scenario: Scenario): Promise<number | undefined> {
  const home = mkdtempSync(path.join(tmpdir(), 'delivery-actions-bench-'));
  let reach = (_at: number): void => undefined;
  const reached = new Promise<number>((resolve) => (reach = resolve));
  const server = createServer((request, response) => {
    const answer = scenario.answer(request.url ?? '');
    if (answer === undefined) reach(performance.now());
    else response.end(answer);
  });
  const url = await listen(server);
  const env = { ...commonEnv(url, home), ...inputEnv(scenario.inputs(url, home)), ...scenario.env(url) };
  const started = performance.now();
  const child = spawn(process.execPath, [bundle], { stdio: 'ignore', cwd: home, env });
  const ended = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)));
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  const at = await Promise.race([reached, ended]);
  clearTimeout(timer);
  child.kill('SIGKILL');
  await ended;
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true, force: true });
  return at === undefined ? undefined : at - started;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function commonEnv(url: string, home: string): Readonly<Record<string, string | undefined>> {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    RUNNER_TEMP: home,
    GITHUB_WORKSPACE: home,
    GITHUB_API_URL: url,
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'eu-central-1',
  };
}

function inputEnv(inputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
}
