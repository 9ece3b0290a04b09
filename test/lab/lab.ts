import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache } from './cache.ts';
import type { LabContext, LabFacts, PartName } from './part.ts';
import { install, mayInstall } from './debian.ts';
import { inOrder, parts } from './parts.ts';
import { startTime } from './process.ts';

const run = join(cache, 'run');
const factsFile = join(run, 'facts.json');
const lockFile = join(cache, 'lab.lock');

/**
 * Brings parts and what they need up, or finds them up.
 * @returns the facts of every part that is up
 * @throws Error that names all missing Debian packages at once
 */
export async function openLab(...names: PartName[]): Promise<LabFacts> {
  const order = inOrder(names);
  return locked(async () => {
    const facts = await readFacts();
    await bringMissing(order, facts);
    for (const name of order) {
      const fact = await parts.get(name)?.up(contextOf(name, facts));
      Object.assign(facts, { [name]: fact });
      await writeFacts(facts);
    }
    return facts;
  });
}

/** Takes every part down, those that need others first, and removes the lab's running state. */
export async function closeLab(): Promise<void> {
  await locked(async () => {
    const facts = await readFacts();
    for (const name of inOrder([...parts.keys()]).toReversed()) {
      await parts.get(name)?.down(contextOf(name, facts));
    }
    await rm(run, { recursive: true, force: true });
  });
}

/** One line per part, such as `registry: up on 127.0.0.1:5000`. */
export async function labStatus(): Promise<string[]> {
  const facts = await readFacts();
  const lines: string[] = [];
  for (const [name, part] of parts) lines.push(`${name}: ${await part.status(contextOf(name, facts))}`);
  return lines;
}

async function bringMissing(order: readonly PartName[], facts: LabFacts): Promise<void> {
  const missing = [];
  for (const name of order) missing.push(...((await parts.get(name)?.missing(contextOf(name, facts))) ?? []));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((one) => one.packages))];
  if (mayInstall()) return install(packages);
  const what = missing.map((one) => one.what).join(', ');
  throw new Error(`The lab misses ${what}. Install: apt-get install ${packages.join(' ')}`);
}

function contextOf(name: PartName, facts: LabFacts): LabContext {
  return {
    cache,
    state: join(run, name),
    facts,
    progress: (message) => void process.stderr.write(`${name}: ${message}\n`),
  };
}

async function readFacts(): Promise<LabFacts> {
  const text = await readFile(factsFile, 'utf8').catch(() => '{}');
  return JSON.parse(text) as LabFacts;
}

async function writeFacts(facts: LabFacts): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  await writeFile(`${factsFile}.new`, JSON.stringify(facts), { mode: 0o600 });
  await rename(`${factsFile}.new`, factsFile);
}

async function locked<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + 15 * 60_000;
  while (!(await tryLock())) {
    if (Date.now() > deadline) throw new Error(`Another process holds ${lockFile}`);
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function tryLock(): Promise<boolean> {
  const file = await open(lockFile, 'wx').catch(() => undefined);
  if (file !== undefined) {
    await file.writeFile(`${process.pid} ${await startTime(process.pid)}`);
    await file.close();
    return true;
  }
  const [pid, started] = (await readFile(lockFile, 'utf8').catch(() => '')).split(' ');
  // An empty file belongs to someone about to write it.
  if (started !== undefined && (await startTime(Number(pid))) !== started) await rm(lockFile, { force: true });
  return false;
}
