import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { at, textAt } from '../../src/kube/fields.ts';
import { artifactActions } from './artifacts.ts';

const run = promisify(execFile);
const product = 'logicore/delivery-actions@v1';

/** One run of a caller's workflow on this machine. */
export interface Workflow {
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
  /** Inputs of a workflow that was started by hand. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** What GitHub tells with the event; act itself knows no more than the ref. */
  readonly payload?: object;
  readonly actor?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  onEvent?(event: WorkflowEvent): void;
}

/** One thing that act tells. Texts are the workflow's, unsafe as they are. */
export interface WorkflowEvent {
  /** Name of the job with those of the workflows that called it, such as `build/build-node/build shop`; '' outside of jobs. */
  readonly job: string;
  /** Name of the step, or what it uses. */
  readonly step: string;
  /** A line of the log. */
  readonly line: string;
  /** The line is a program's own, not act's. */
  readonly written: boolean;
  /** Markdown that a step added to the run's page. */
  readonly summary?: string;
  /** How the job ended: success or failure. */
  readonly jobResult?: string;
}

/** What a run came to. */
export interface WorkflowRun {
  readonly exitCode: number;
  /** Every line, with the job before it. */
  readonly log: string;
  /** In the order in which they were written. */
  readonly summaries: readonly { readonly job: string; readonly markdown: string }[];
  /** The jobs that ended, in that order. */
  readonly jobs: readonly { readonly name: string; readonly result: string }[];
}

/**
 * Runs the workflow with act in host mode.
 * Variables and secrets go by files that only this user can read, and are gone afterwards.
 */
export async function runWorkflow(given: Workflow): Promise<WorkflowRun> {
  const folder = await mkdtemp(join(tmpdir(), 'lab-act-'));
  try {
    const caller = join(folder, 'caller');
    await cp(given.repository, caller, { recursive: true });
    await startRepository(caller);
    const files = await Promise.all([
      settings(folder, 'env', given.env),
      settings(folder, 'var', given.vars),
      settings(folder, 'secret', given.secrets),
      settings(folder, 'input', given.inputs),
    ]);
    const payload = join(folder, 'payload.json');
    // GitHub tells inputs with the event, and act reads those of a caller's `with` only there.
    await writeFile(payload, JSON.stringify({ ...given.payload, ...(given.inputs && { inputs: given.inputs }) }));
    const options = [
      given.event ?? 'push',
      '--json',
      '--no-cache-server',
      `--actor=${given.actor ?? 'ana'}`,
      `--workflows=${given.workflow}`,
      '--platform=ubuntu-24.04=-self-hosted',
      `--local-repository=${product}=${given.product}`,
      `--eventpath=${payload}`,
      ...(await artifactActions(given.product, join(folder, 'artifacts'))).map((one) => `--local-repository=${one}`),
      ...files.flat(),
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
  await git('remote', 'add', 'origin', 'https://github.com/acme/shop.git');
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
  given: Workflow,
  options: readonly string[],
  caller: string,
  folder: string,
): Promise<WorkflowRun> {
  const path = [given.nodeBin, process.env['PATH'] ?? ''].join(delimiter);
  const home = join(folder, 'home');
  await mkdir(join(home, '.config', 'act'), { recursive: true });
  await writeFile(join(home, '.config', 'act', 'actrc'), '');
  const env = { ...process.env, PATH: path, HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
  const child = spawn(given.act, options, { cwd: caller, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const events: WorkflowEvent[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      const event = read(line);
      events.push(event);
      given.onEvent?.(event);
    });
  }
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  return {
    exitCode,
    log: events.map(({ job, line }) => `[${job}] ${line}\n`).join(''),
    summaries: events.flatMap(({ job, summary }) => (summary === undefined ? [] : [{ job, markdown: summary }])),
    jobs: events.flatMap(({ job, jobResult }) => (jobResult === undefined ? [] : [{ name: job, result: jobResult }])),
  };
}

function read(line: string): WorkflowEvent {
  const told = parse(line);
  const job = textAt(told, 'job').trimEnd();
  const result = textAt(told, 'jobResult');
  return {
    job,
    step: textAt(told, 'step'),
    line: told === undefined ? line : textAt(told, 'msg').trimEnd(),
    written: at(told, 'raw_output') === true,
    ...(textAt(told, 'command') === 'summary' && { summary: textAt(told, 'content') }),
    ...(result !== '' && { jobResult: result }),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
