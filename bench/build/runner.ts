import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A project that is built side by side. */
export interface Bench {
  readonly name: string;
  /** Holds the project's repository, and the Dockerfiles that the chain builds. */
  readonly folder: string;
  readonly scripts: readonly string[];
  /** `host:port`. */
  readonly registry: string;
  /** Name of the builder that both use. */
  readonly builder: string;
  /** Whether the generated Dockerfile copies in another way than teams usually write it. */
  readonly links: boolean;
}

/** A clean machine: a checkout of its own, an empty home, no layer of an earlier build. */
export interface Runner {
  readonly checkout: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Lends `use` a clean runner. */
export async function onCleanRunner<T>(
  bench: Bench,
  env: Readonly<Record<string, string>>,
  use: (runner: Runner) => Promise<T>,
): Promise<T> {
  const place = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const [checkout, home] = [path.join(place, 'work'), path.join(place, 'home')] as const;
  mkdirSync(home);
  const runner = { checkout, home, env: { ...env, HOME: home } };
  try {
    const quiet = { checkout: place, home, env };
    await run('docker', ['buildx', 'prune', '--all', '--force', '--builder', bench.builder], quiet);
    await run('git', ['clone', '-q', path.join(bench.folder, 'repository'), checkout], quiet);
    // What was written before must not be waited for while the clock runs.
    await run('sync', [], quiet);
    return await use(runner);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * Runs a program of the bench.
 * @returns what it wrote
 * @throws Error with what it wrote where it fails
 */
export async function run(
  program: string,
  args: readonly string[],
  { checkout, env }: Pick<Runner, 'checkout' | 'env'>,
): Promise<string> {
  const child = spawn(program, args, { cwd: checkout, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => void (said += more));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said.slice(-3000)}`);
  return said;
}
