import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const product = 'logicore/delivery-actions@v1';

/** One run of a caller's workflow on this machine. */
export interface WorkflowRun {
  readonly act: string;
  /** Folder put first on PATH, so that workflows get its Node. */
  readonly nodeBin: string;
  /** The caller's repository; copied, never written to. */
  readonly repository: string;
  /** The product's repository, which `logicore/delivery-actions@v1` stands for. */
  readonly product: string;
  /** Workflow file inside the caller's repository. */
  readonly workflow: string;
  readonly event?: string;
  /** What GitHub tells with the event; act itself knows no more than the ref. */
  readonly payload?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  onLine?(line: string): void;
}

/**
 * Runs the workflow with act in host mode.
 * Variables and secrets go by files that only this user can read, and are gone afterwards.
 */
export async function runWorkflow(given: WorkflowRun): Promise<{ exitCode: number; log: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'lab-act-'));
  try {
    const caller = join(folder, 'caller');
    await cp(given.repository, caller, { recursive: true });
    await startRepository(caller);
    const files = await Promise.all([
      settings(folder, 'env', given.env),
      settings(folder, 'var', given.vars),
      settings(folder, 'secret', given.secrets),
    ]);
    const payload = join(folder, 'payload.json');
    await writeFile(payload, JSON.stringify(given.payload ?? {}));
    const options = [
      given.event ?? 'push',
      '-W',
      given.workflow,
      '-P',
      'ubuntu-24.04=-self-hosted',
      '--local-repository',
      `${product}=${given.product}`,
      ...files.flat(),
      '--eventpath',
      payload,
    ];
    return await follow(given, options, caller, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startRepository(folder: string): Promise<void> {
  const git = (...words: string[]) => run('git', ['-C', folder, ...words]);
  await rm(join(folder, '.git'), { recursive: true, force: true });
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  const author = ['-c', 'user.name=Lab', '-c', 'user.email=lab@example.com'];
  await git(...author, 'commit', '-q', '-m', 'Start');
  await git('remote', 'add', 'origin', 'https://github.com/logicore/caller.git');
}

async function settings(
  folder: string,
  kind: string,
  values: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const file = join(folder, `${kind}s`);
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return [`--${kind}-file`, file];
}

async function follow(
  given: WorkflowRun,
  options: readonly string[],
  caller: string,
  folder: string,
): Promise<{ exitCode: number; log: string }> {
  const path = [given.nodeBin, process.env['PATH'] ?? ''].join(delimiter);
  const home = join(folder, 'home');
  await mkdir(home);
  const env = { ...process.env, PATH: path, HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
  await mkdir(join(home, '.config', 'act'), { recursive: true });
  await writeFile(join(home, '.config', 'act', 'actrc'), '');
  const child = spawn(given.act, options, { cwd: caller, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  let rest = '';
  const take = (text: string) => {
    log += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) given.onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  return { exitCode, log };
}
