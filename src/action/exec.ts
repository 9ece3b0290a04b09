import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError, messageOf } from './errors.ts';

/** How a program is run: never through a shell, so no text is ever interpreted. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to the program's standard input: the way for secrets, which never go on a command line. */
  readonly input?: string;
  /** Milliseconds after which the program and its children are ended. */
  readonly timeout?: number;
  /** Called with every line of stdout and stderr, as it comes, unsafe as it is. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Ends the program with its children when it aborts, as cancelling the action does. */
  readonly signal?: AbortSignal;
}

/** What came of a program: `stdout` and `stderr` hold at most their last {@link KEEP} characters. */
export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly took: number;
  /** It was ended, with its children, as it took longer than its timeout. */
  readonly timedOut?: true;
}

/** Runs programs for an action. */
export interface Exec {
  /** A short question, such as `git rev-parse`: quiet, all output kept. Never throws for an exit code. */
  ask(
    program: string,
    args: readonly string[],
    options?: Pick<RunOptions, 'cwd' | 'env' | 'input'>,
  ): Promise<RunResult>;
  /**
   * A long task: lines stream, and cancelling the action ends the program with its children.
   * @throws UserError when the program does not exist
   */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

const KEEP = 1_000_000;
const GRACE_MS = 3000;
/** How long what a program left behind, such as a server of its tests, may keep its output open. */
const LEFT_BEHIND_MS = 5000;

/** Programs of this machine, run with `env`; when `signal` aborts, running ones are ended. */
export function localExec(env: NodeJS.ProcessEnv, signal: AbortSignal): Exec {
  return {
    async ask(program, args, options = {}) {
      const { getExecOutput } = await import('@actions/exec');
      const started = Date.now();
      const result = await getExecOutput(`"${program}"`, [...args], {
        silent: true,
        ignoreReturnCode: true,
        env: merge(env, options.env),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.input === undefined ? {} : { input: Buffer.from(options.input) }),
      }).catch((error: unknown) => {
        throw notRunnable(program, error);
      });
      return { ...result, took: Date.now() - started };
    },
    run: (program, args, options = {}) => {
      const either = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]);
      return stream(program, args, { ...options, env: merge(env, options.env) }, either);
    },
  };
}

// @actions/exec neither gives the child's id nor forwards signals, and the runner signals only the entry process:
// so a long task gets a process group of its own here, which can be ended whole.
function stream(
  program: string,
  args: readonly string[],
  options: RunOptions & { env: Record<string, string> },
  signal: AbortSignal,
): Promise<RunResult> {
  signal.throwIfAborted();
  const started = Date.now();
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, detached: true, stdio: 'pipe' });
  const kept = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[name], crlfDelay: Infinity }).on('line', (line) => {
      kept[name] = `${kept[name]}${line}\n`.slice(-KEEP);
      options.onLine?.(line, name);
    });
  }
  child.stdin.on('error', () => {}); // a program that never reads its input is not a fault
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    const end = (): void => endGroup(child.pid);
    let timedOut = false;
    const stop = (): void => {
      timedOut = true;
      end();
    };
    const timer = options.timeout === undefined ? undefined : setTimeout(stop, options.timeout);
    let left: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      left = setTimeout(() => {
        end();
        child.stdout.destroy();
        child.stderr.destroy();
      }, LEFT_BEHIND_MS);
    });
    signal.addEventListener('abort', end, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(left);
      signal.removeEventListener('abort', end);
    };
    child.once('error', (error) => {
      settle();
      reject(notRunnable(program, error));
    });
    child.once('close', (code) => {
      settle();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ exitCode: code ?? 1, ...kept, took: Date.now() - started, ...(timedOut && { timedOut }) });
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // already gone
    }
  };
  send('SIGTERM');
  setTimeout(() => send('SIGKILL'), GRACE_MS).unref();
}

/**
 * What programs never inherit: the action's inputs, among them passwords, the job's right to identity tokens and its
 * cache, and the files by which a step sets its outputs and the environment of later steps. A dependency's install
 * script could otherwise deploy, or name another image to be deployed.
 */
const WITHHELD = /^(INPUT_|ACTIONS_(ID_TOKEN_REQUEST|RUNTIME|CACHE|RESULTS)_|GITHUB_(OUTPUT|STATE|ENV|PATH)$)/;

/** Of an environment what programs may see. */
export function inheritable(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !WITHHELD.test(name)));
}

function merge(env: NodeJS.ProcessEnv, extra: RunOptions['env'] = {}): Record<string, string> {
  const all = Object.entries({ ...inheritable(env), ...extra });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function notRunnable(program: string, cause: unknown): UserError {
  return new UserError(`${program} could not be run: ${messageOf(cause)}`, {
    remedy: `install ${program} on the runner, or use a runner image that has it`,
    cause,
  });
}
