import { execFile, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT = { timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };

/** Runs `docker` against the engine that `env` names. */
export async function docker(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  return (await run('docker', args, { ...LIMIT, env: { ...process.env, ...env } })).stdout.trim();
}

/** A container of an image, on the engine's own network, while `use` runs; `address` is its own. */
export async function running<T>(
  env: NodeJS.ProcessEnv,
  image: string,
  use: (container: { readonly id: string; readonly address: string }) => Promise<T>,
): Promise<T> {
  // Unprivileged as Kubernetes would run it; the engine here makes no rules, so it needs none of their tools.
  const id = await docker(env, 'run', '--detach', '--cap-drop=ALL', '--read-only', image);
  try {
    const address = await docker(env, 'inspect', '--format={{.NetworkSettings.IPAddress}}', id);
    return await use({ id, address });
  } finally {
    await docker(env, 'rm', '--force', id);
  }
}

/** The first answer of a service that may just have started. */
export async function firstAnswer(url: string): Promise<Response> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await fetch(url, { signal: AbortSignal.timeout(2000) });
    } catch (error) {
      if (tried >= 50) throw error;
      await sleep(100);
    }
  }
}

/** Which of some texts are anywhere in the image: in its configuration, or in a file of any layer. */
export async function textsInImage(
  env: NodeJS.ProcessEnv,
  image: string,
  texts: readonly string[],
): Promise<readonly string[]> {
  const saved = spawn('docker', ['save', image], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const found = new Set<string>();
  const overlap = Math.max(...texts.map((text) => text.length));
  let rest = Buffer.alloc(0);
  // What docker saves is a tar of tars without compression, so a text of a file stands in it as it is.
  for await (const chunk of saved.stdout as AsyncIterable<Buffer>) {
    const part = Buffer.concat([rest, chunk]);
    for (const text of texts) if (part.includes(text)) found.add(text);
    rest = part.subarray(-overlap);
  }
  const history = await docker(env, 'history', '--no-trunc', image);
  for (const text of texts) if (history.includes(text)) found.add(text);
  return texts.filter((text) => found.has(text));
}
