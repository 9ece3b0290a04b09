import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process is known by id and start time, so that a reused id is never taken for it. */
interface Identity {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat, see proc_pid_stat(5). */
  readonly started: string;
}

/** Start time of a living process; undefined where there is none or it is a zombie. */
export async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined ? undefined : startTimeIn(stat);
}

function startTimeNow(pid: number): string | undefined {
  try {
    return startTimeIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

function startTimeIn(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Whether the process started under this name in `folder` still runs. */
export async function isRunning(folder: string, name: string): Promise<boolean> {
  return (await living(folder, name)) !== undefined;
}

/** Starts a detached process, its output in `name.log`, unless it already runs. */
export async function start(
  folder: string,
  name: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  if (await isRunning(folder, name)) return;
  await mkdir(folder, { recursive: true });
  const log = await open(join(folder, `${name}.log`), 'a');
  try {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd], env });
    const known = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // In the same turn of the event loop, so that a signal to us never finds a process that nobody knows.
    const started = child.pid === undefined ? undefined : startTimeNow(child.pid);
    if (started !== undefined) writeFileSync(join(folder, `${name}.pid`), `${child.pid} ${started}\n`);
    child.unref();
    await known;
    if (started === undefined) throw new Error(`${name} ended at once; its log is ${join(folder, `${name}.log`)}`);
  } finally {
    await log.close();
  }
}

/**
 * Ends a process by its id and waits until it has gone: asks first, insists after `graceMs`. Nothing happens where it
 * does not run.
 * @throws Error where it stays even then
 */
export async function stop(folder: string, name: string, graceMs = 10_000): Promise<void> {
  const identity = await living(folder, name);
  if (identity !== undefined) {
    const ends = async (name: NodeJS.Signals, withinMs: number): Promise<boolean> => {
      signal(identity.pid, name);
      const deadline = Date.now() + withinMs;
      while (Date.now() < deadline && (await startTime(identity.pid)) === identity.started) await sleep(50);
      return (await startTime(identity.pid)) !== identity.started;
    };
    // A killed process still takes a moment to give back its memory, files and ports.
    if (!(await ends('SIGTERM', graceMs)) && !(await ends('SIGKILL', 10_000))) {
      throw new Error(`${name}, process ${identity.pid}, does not end`);
    }
  }
  await rm(join(folder, `${name}.pid`), { force: true });
}

async function living(folder: string, name: string): Promise<Identity | undefined> {
  const text = await readFile(join(folder, `${name}.pid`), 'utf8').catch(() => '');
  const [pid, started] = text.trim().split(' ');
  if (started === undefined || !/^[1-9]\d*$/.test(pid ?? '')) return undefined;
  const identity = { pid: Number(pid), started };
  return (await startTime(identity.pid)) === started ? identity : undefined;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}
