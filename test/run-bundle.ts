import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A step of a job: an action's committed bundle with what the runner gives it. */
export interface Step {
  readonly action: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  /** HOME and RUNNER_TEMP lie here; without it in a folder that goes with the run. */
  readonly outside?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which it is ended; two minutes where nothing is said. */
  readonly timeout?: number;
}

/** What a run of a bundle came to; the log has stderr too. */
export interface BundleRun {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A run under way: `said` resolves once its log holds a text. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<BundleRun>;
  said(text: string | RegExp): Promise<void>;
}

const TIMEOUT_MS = 120_000;

/** Starts a bundle beside this process, which may serve what the action asks for. */
export function startBundle(step: Step): Running {
  const place = placeOf(step);
  const child = spawn(process.execPath, place.args, {
    cwd: step.workspace,
    env: place.env,
    timeout: step.timeout ?? TIMEOUT_MS,
  });
  let log = '';
  let waiting: { text: string | RegExp; heard: () => void }[] = [];
  const holds = (text: string | RegExp): boolean => (typeof text === 'string' ? log.includes(text) : text.test(log));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      log += more;
      for (const { text, heard } of waiting) if (holds(text)) heard();
      waiting = waiting.filter(({ text }) => !holds(text));
    });
  }
  const ended = new Promise<BundleRun>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(place.end(code, log)));
  });
  const said = async (text: string | RegExp): Promise<void> => {
    const heard = new Promise<'heard'>((resolve) => {
      if (holds(text)) resolve('heard');
      else waiting.push({ text, heard: () => resolve('heard') });
    });
    if ((await Promise.race([heard, ended])) !== 'heard') throw new Error(`it ended without saying ${text}:\n${log}`);
  };
  return { child, ended, said };
}

/** Runs a bundle to its end. */
export function runBundle(step: Step): BundleRun {
  const place = placeOf(step);
  const limits = { timeout: step.timeout ?? TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  const settings = { cwd: step.workspace, env: place.env, encoding: 'utf8', ...limits } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, place.args, settings);
  return place.end(status, `${stdout}${stderr}`);
}

function placeOf({ action, inputs, workspace, outside, env = {} }: Step) {
  const own = mkdtempSync(path.join(tmpdir(), `${action}-run-`));
  const [output, summary] = ['output', 'summary'].map((name) => path.join(own, name)) as [string, string];
  for (const file of [output, summary]) writeFileSync(file, '');
  const home = outside ?? own;
  return {
    args: [path.resolve(import.meta.dirname, `../dist/${action}/index.js`)],
    env: {
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
      HOME: home,
      GITHUB_WORKSPACE: workspace,
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_RUN_ID: '7',
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_NAME: 'main',
      GITHUB_ACTOR: 'ana',
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: path.join(home, 'temp'),
      RUNNER_TOOL_CACHE: path.join(home, 'tools'),
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...env,
    },
    end(exitCode: number | null, log: string): BundleRun {
      const [outputs, told] = [output, summary].map((file) => readFileSync(file, 'utf8')) as [string, string];
      rmSync(own, { recursive: true, force: true });
      return { exitCode, log, outputs: outputsOf(outputs), summary: told };
    },
  };
}

/** The runner's form: `name<<delimiter`, lines, `delimiter`. An empty output is none, as it is to a workflow. */
function outputsOf(text: string): Record<string, string> {
  const found = text.matchAll(/^([\w-]+)<<(.+)\n([^]*?)\n?\2$/gm);
  const outputs = [...found].map(([, name = '', , value = '']) => [name, value] as const);
  return Object.fromEntries(outputs.filter(([, value]) => value !== ''));
}
