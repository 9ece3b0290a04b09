import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockOptions {
  /** Told once when another process has to be waited for. */
  readonly waits?: () => void;
  /** Milliseconds until waiting for the other ends in an error. */
  readonly patienceMs?: number;
}

/**
 * Runs work that only one process of this machine may do at a time.
 *
 * The lock is an abstract Unix socket, see unix(7): the kernel gives it to one process and takes it back when that
 * process ends in whatever way, so there is no file that a killed process could leave behind.
 * @throws Error when another process still has it after `patienceMs`
 */
export async function locked<T>(name: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { waits, patienceMs = 30 * 60_000 } = options;
  const deadline = Date.now() + patienceMs;
  const address = `\0delivery-actions-${createHash('sha256').update(name).digest('hex')}`;
  let lock = await listen(address);
  if (lock === undefined) waits?.();
  while (lock === undefined) {
    if (Date.now() > deadline) throw new Error(`Another process still works on ${name}; try again when it is done`);
    await sleep(100);
    lock = await listen(address);
  }
  const held = lock;
  try {
    return await work();
  } finally {
    await new Promise((resolve) => void held.close(resolve));
  }
}

async function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => void connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}
