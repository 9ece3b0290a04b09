import path from 'node:path';
import semver from 'semver';
import type { ReadFile } from '../project/project.ts';
import type { Task } from '../task/task.ts';
import type { PackageJson } from './manifest.ts';
import type { ManagerName } from './package-manager.ts';

/** The test runners told apart. */
export type TestRunner = 'node:test' | 'jest' | 'vitest' | 'mocha' | 'playwright';

/** What is added to a script so that its runners also record what happens. */
export interface Recorder {
  readonly runners: readonly TestRunner[];
  /** Environment variables; NODE_OPTIONS comes after what the environment already has there. */
  readonly env: Readonly<Record<string, string>>;
  /** Arguments that the package manager hands to the script. */
  readonly args: readonly string[];
}

/** What a decision needs of the project. */
interface Context {
  readonly project: Pick<PackageJson, 'scripts' | 'dependencies' | 'devDependencies'>;
  readonly read: ReadFile;
  /** The exact version of Node that the script runs on. */
  readonly nodeVersion: string;
}

/** Scripts that hold tests by their name, whatever runs them. */
const NAMED = /(?:^|[:_-])(?:test|tests|spec|e2e|unit|integration)(?:$|[:_-])/;

/** Programs that start another one with all arguments that follow. */
const STARTERS = /^(?:npx|pnpx|bunx|pnpm|yarn|c8|nyc|node|cross-env|dotenv|env)$/;

/** Since then `--test-reporter` takes a reporter of one's own and may stand in NODE_OPTIONS in all lines. */
const NODE_WITH_REPORTERS = '>=20';

/**
 * The test runners of a script, found in its text and in that of the scripts that it runs, and what makes them record
 * into `folder` without changing how the script ends. A runner whose reporters the project has chosen by itself keeps
 * them; where that leaves none of ours, its own reports are read.
 */
export function planRecorder(script: string, folder: string, context: Context): Recorder {
  const commands = commandsOf(script, context.project.scripts);
  const text = commands.map((words) => words.join(' ')).join('\n');
  const runners = new Set<TestRunner>();
  const env: Record<string, string> = {};
  const uses = (runner: TestRunner, added: Readonly<Record<string, string>> | undefined): void => {
    runners.add(runner);
    Object.assign(env, added);
  };
  if (/(?:^|\s|\/)(?:node|tsx)\s(?:.*\s)?--test(?:\s|$)/m.test(text))
    uses('node:test', nodeTest(text, folder, context));
  if (commands.some((words) => runs(words, 'mocha'))) uses('mocha', mocha(text, folder, context));
  if (commands.some((words) => runs(words, 'playwright') && words.includes('test'))) {
    uses('playwright', { PW_TEST_REPORTER: path.join(folder, 'playwright.cjs') });
  }
  for (const runner of ['jest', 'vitest'] as const) {
    if (commands.some((words) => runs(words, runner))) runners.add(runner);
  }
  return { runners: [...runners], env, args: argumentsOf(context.project.scripts[script] ?? '', folder, context) };
}

/**
 * The task of a script with what makes its tests record what they do, see {@link planRecorder}; the task as it is where
 * the script holds none.
 */
export function withRecorder(task: Task, manager: ManagerName, { project, read }: Omit<Context, 'nodeVersion'>): Task {
  const [, , script = '', ...given] = task.command;
  const plan = (folder: string, nodeVersion: string): Recorder =>
    planRecorder(script, folder, { project, read, nodeVersion });
  if (plan('', '0.0.0').runners.length === 0 && !NAMED.test(script)) return task;
  const record: Task['record'] = (folder, runtime) => {
    const { env, args } = plan(folder, semver.coerce(runtime)?.version ?? '0.0.0');
    // npm takes what stands before `--` for itself; the others hand everything on.
    const parted = manager === 'npm' && args.length > 0 && !given.includes('--');
    return { env, args: parted ? ['--', ...args] : args };
  };
  return { ...task, record };
}

function nodeTest(text: string, folder: string, { nodeVersion }: Context): Record<string, string> | undefined {
  if (text.includes('--test-reporter') || !semver.satisfies(nodeVersion, NODE_WITH_REPORTERS)) return undefined;
  // The one for people is named too, since a second reporter takes the place of the default one.
  const reporters = [
    ['spec', 'stdout'],
    [fileUrl(path.join(folder, 'node-test.cjs')), 'stderr'],
  ];
  const options = reporters.flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`]);
  return { NODE_OPTIONS: options.join(' ') };
}

/** NODE_OPTIONS is parted at spaces, and a file URL has none. */
function fileUrl(file: string): string {
  return `file://${encodeURI(file)}`;
}

function mocha(text: string, folder: string, { read }: Context): Record<string, string> | undefined {
  const configured = [
    'package.json',
    ...['', '.js', '.cjs', '.mjs', '.json', '.jsonc', '.yml', '.yaml'].map((end) => `.mocharc${end}`),
  ];
  const chosen = /--reporter|\s-R\s|--config/.test(text) || mentions(configured, /["']?reporter["']?\s*:/, read);
  return chosen ? undefined : { MOCHA_OPTIONS: `--reporter ${JSON.stringify(path.join(folder, 'mocha.cjs'))}` };
}

/**
 * Reporters of jest and Vitest are given by arguments alone, which a package manager adds at the end of the script: so
 * the runner has to be the last thing that the script does.
 */
function argumentsOf(text: string, folder: string, context: Context): readonly string[] {
  if (/[|;<>`#\n()]|\$\(|(?:^|[^&])&(?:$|[^&])/.test(text)) return [];
  const words = text.split('&&').at(-1)?.trim().split(/\s+/) ?? [];
  // What follows `--` is no option any more.
  if (words.includes('--')) return [];
  if (runs(words, 'jest')) return jest(words, folder, context);
  if (runs(words, 'vitest')) return vitest(words, folder, context);
  return [];
}

function jest(words: readonly string[], folder: string, { read }: Context): readonly string[] {
  if (words.some((word) => /^--(?:json|outputFile|reporters|listTests|showConfig)\b/.test(word))) return [];
  const configs = ['js', 'ts', 'mjs', 'cjs', 'json', 'mts', 'cts'].map((end) => `jest.config.${end}`);
  const elsewhere = words.some((word) => /^(?:--config|-c)\b/.test(word));
  if (elsewhere || mentions(['package.json', ...configs], /\breporters["']?\s*:/, read)) {
    return ['--json', `--outputFile=${path.join(folder, 'jest-report.json')}`];
  }
  return ['--reporters=default', `--reporters=${path.join(folder, 'jest.cjs')}`];
}

function vitest(words: readonly string[], folder: string, { project, read }: Context): readonly string[] {
  const configs = ['vitest.config', 'vite.config', 'vitest.workspace'].flatMap((name) =>
    ['js', 'ts', 'mjs', 'cjs', 'mts', 'cts'].map((end) => `${name}.${end}`),
  );
  const chosen = words.some((word) => /^(?:--(?:reporter|config|outputFile|standalone)\b|-c$|list$|bench$)/.test(word));
  if (chosen || mentions(configs, /\breporters\b/, read)) return [];
  const range = project.devDependencies['vitest'] ?? project.dependencies['vitest'] ?? '';
  const lowest = semver.validRange(range) === null ? null : semver.minVersion(range);
  if (lowest !== null && lowest.major >= 3)
    return ['--reporter=default', `--reporter=${path.join(folder, 'vitest.cjs')}`];
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${path.join(folder, 'vitest-report.json')}`];
}

function mentions(files: readonly string[], what: RegExp, read: ReadFile): boolean {
  return files.some((file) => what.test(read(file) ?? ''));
}

/** Whether a command runs a program: by its name, by its path, or through programs that only start another one. */
function runs(words: readonly string[], program: string): boolean {
  const own = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const at = words.findIndex((word) => new RegExp(`^(?:.*/)?_?${program}(?:\\.m?js)?$`).test(word));
  if (at < 0) return false;
  return at === own || (STARTERS.test(words[own] ?? '') && !words.slice(own, at).includes('run'));
}

/** The commands of a script and of those that it runs by name, each as its words; quotes are left as they are. */
function commandsOf(script: string, scripts: PackageJson['scripts'], seen = new Set<string>()): readonly string[][] {
  if (seen.has(script) || seen.size > 20) return [];
  seen.add(script);
  return (scripts[script] ?? '').split(/&&|\|\||[;|&\n]/).flatMap((command) => {
    const words = command.trim().split(/\s+/);
    const called = /^(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([\w:.-]+)/.exec(command.trim())?.[1];
    return called !== undefined && Object.hasOwn(scripts, called) ? commandsOf(called, scripts, seen) : [words];
  });
}
