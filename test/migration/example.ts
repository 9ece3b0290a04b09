import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from '@jest/globals';
import { type RunResult, localExec } from '../../src/action/exec.ts';
import { systemClock } from '../../src/action/main.ts';
import { findTools } from '../../src/migration/detect.ts';
import { filesOf } from '../../src/migration/files.ts';
import type { Applied, Migration } from '../../src/migration/migration.ts';
import type { Address, Command, Found, Tool, ToolName } from '../../src/migration/tool.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';
import { type Session, connect } from '../../src/postgres/connect.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { type Relay, openRelay } from '../../src/postgres/relay.ts';
import { upstreamOf } from '../../src/postgres/upstream.ts';
import { cache } from '../lab/cache.ts';
import { install, mayInstall } from '../lab/debian.ts';
import { locked } from '../lab/lock.ts';
import { bringMissing } from '../lab/missing.ts';
import { type TestServer, postgres } from '../postgres.ts';

const EXAMPLES = path.join(import.meta.dirname, '..', '..', 'examples', 'migrations');
/** Where it lies in its repository: not in the root, so that what runs in the wrong folder shows. */
const PROJECT = 'services/own';

/** An example of `examples/migrations` in a repository of its own, installed by its lockfile. */
export interface Example {
  readonly workspace: string;
  readonly found: Found;
  readonly tool: Tool;
  readonly migrations: readonly Migration[];
  /** Reads it anew, after its files changed. */
  readonly read: () => Promise<readonly Migration[]>;
  readonly text: (file: string) => Promise<string>;
  readonly write: (file: string, text: string) => Promise<void>;
  readonly remove: (file: string) => Promise<void>;
}

/** A database with the example's tool before it. */
export interface Database {
  readonly connection: Connection;
  readonly session: Session;
  /** As the tool is told of it: through a relay, as in a run. */
  readonly address: Address;
  readonly applied: () => Promise<readonly Applied[]>;
  /** Runs the tool; `signal` cancels it as a runner would. */
  readonly run: (command: Command | undefined, signal?: AbortSignal) => Promise<RunResult>;
  readonly close: () => Promise<void>;
}

/** What installs an example into its folder; `keep` names the folder that makes it and is kept in the cache. */
export interface Installer {
  readonly lockfile: string;
  readonly keep: string;
  readonly install: (folder: string) => Promise<void>;
}

export const npm: Installer = {
  lockfile: 'package-lock.json',
  keep: 'node_modules',
  install: async (folder) => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder),
};

export const pip: Installer = {
  lockfile: 'requirements.txt',
  keep: '.venv',
  async install(folder) {
    await run('python3', ['-m', 'venv', '.venv'], folder);
    await run('.venv/bin/pip', ['install', '--quiet', '--require-hashes', '-r', 'requirements.txt'], folder);
  },
};

/** Sees to it that programs are there, which Debian's packages bring where that may be done unasked. */
export async function bringPrograms(programs: Readonly<Record<string, string>>): Promise<void> {
  const has = async (program: string): Promise<boolean> =>
    promisify(execFile)('which', [program]).then(
      () => true,
      () => false,
    );
  const missing = async () => {
    const there = await Promise.all(Object.keys(programs).map(async (program) => has(program)));
    return Object.entries(programs)
      .filter((_, at) => there[at] === false)
      .map(([what, name]) => ({ what, packages: [name] }));
  };
  const part = { name: 'Migrations by their own tools', missing };
  await locked('debian packages', async () => bringMissing([part], mayInstall() ? install : undefined));
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(program, [...args], { cwd, timeout: 300_000, maxBuffer: 1e8 });
}

/** The example of a tool, for the tests of a file, and databases for it. */
export function example(
  name: ToolName,
  installer?: Installer,
  env: NodeJS.ProcessEnv = {},
): { readonly of: () => Example; readonly database: () => Promise<Database>; readonly server: TestServer } {
  const server = postgres();
  const open: Database[] = [];
  let made: Example | undefined;
  beforeAll(async () => {
    made = await makeExample(name, installer);
  }, 600_000);
  afterAll(async () => {
    for (const one of open) await one.close();
    if (made !== undefined) await rm(made.workspace, { recursive: true, force: true });
  });
  const of = (): Example => {
    if (made === undefined) throw new Error('The example is there only while tests run');
    return made;
  };
  return {
    of,
    server,
    async database() {
      const database = await openDatabase(await server.createDatabase(), of(), { ...process.env, ...env });
      open.push(database);
      return database;
    },
  };
}

async function makeExample(name: ToolName, installer: Installer | undefined): Promise<Example> {
  const workspace = await realpath(await mkdtemp(path.join(tmpdir(), 'migrations-')));
  const folder = path.join(workspace, PROJECT);
  const isInstalled = (file: string): boolean => /(^|\/)(node_modules|\.venv)(\/|$)/.test(file);
  await cp(path.join(EXAMPLES, name), folder, { recursive: true, filter: (file) => !isInstalled(file) });
  if (installer !== undefined) await symlink(await installed(name, installer), path.join(folder, installer.keep));
  const found = findTools(await filesOf(workspace), { directory: '' });
  const [one] = found;
  if (one === undefined || found.length > 1) throw new Error(`found ${JSON.stringify(found)}`);
  const tool = toolNamed(one.tool);
  const file = (relative: string): string => path.join(workspace, PROJECT, relative);
  return {
    workspace,
    found: one,
    tool,
    migrations: await tool.read(one, workspace),
    read: async () => tool.read(findTools(await filesOf(workspace), { directory: '' })[0] ?? one, workspace),
    text: async (relative) => readFile(file(relative), 'utf8'),
    write: async (relative, text) => writeFile(file(relative), text),
    remove: async (relative) => rm(file(relative)),
  };
}

/** Installed once for each state of the lockfile. */
async function installed(name: string, { lockfile, keep, install }: Installer): Promise<string> {
  const lock = await readFile(path.join(EXAMPLES, name, lockfile));
  const sum = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const folder = path.join(cache, 'migrations', `${name}-${sum}-${process.version}`);
  return locked(`example ${name}`, async () => {
    const complete = path.join(folder, 'complete');
    // A virtual environment names its own path.
    if ((await readFile(complete, 'utf8').catch(() => '')) !== folder) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      for (const file of await readdir(path.join(EXAMPLES, name), { withFileTypes: true })) {
        if (file.isFile()) await cp(path.join(EXAMPLES, name, file.name), path.join(folder, file.name));
      }
      await install(folder);
      await writeFile(`${complete}.new`, folder);
      await rename(`${complete}.new`, complete);
    }
    return path.join(folder, keep);
  });
}

async function openDatabase(
  connection: Connection,
  { workspace, tool, found, read }: Example,
  env: NodeJS.ProcessEnv,
): Promise<Database> {
  const { signal } = new AbortController();
  const session = await connect(connection, { signal, clock: systemClock });
  const relay: Relay = await openRelay(upstreamOf(connection, signal), {});
  return {
    connection,
    session,
    address: relay.address,
    applied: async () => tool.applied(session, found, await read()),
    async run(command, cancel = signal) {
      if (command === undefined) throw new Error('there is no such command');
      const { program, args, cwd, env: more } = command;
      return localExec(env, cancel).run(program, args, { cwd: path.join(workspace, cwd), env: more });
    },
    async close() {
      await session.close();
      await relay.close();
    },
  };
}

/** Builds a Go program at a version into a folder, once. */
export async function goProgram(source: string, folder: string): Promise<void> {
  await locked(`go install ${source}`, async () => {
    const complete = path.join(folder, 'complete');
    if ((await readFile(complete, 'utf8').catch(() => '')) === source) return;
    await mkdir(folder, { recursive: true });
    const env = { ...process.env, GOBIN: folder };
    await promisify(execFile)('go', ['install', '-tags', 'postgres', source], { env, timeout: 580_000 });
    await writeFile(complete, source);
  });
}
