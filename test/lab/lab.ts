import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/action/errors.ts';
import { cache } from './cache.ts';
import { install, mayInstall } from './debian.ts';
import { locked } from './lock.ts';
import { bringMissing } from './missing.ts';
import type { LabContext, LabFacts, Missing, Part, PartName } from './part.ts';
import { inOrder, parts } from './parts.ts';

/** What of the lab is running, in files; goes with it. */
export const running = join(cache, 'run');
const factsFile = join(running, 'facts.json');

/** The lock's wait is told at once: what the other process does may take minutes. */
const alone = async <T>(work: () => Promise<T>): Promise<T> =>
  locked(cache, work, { waits: () => void process.stderr.write('waits for another process that works on the lab\n') });

/**
 * Brings parts and what they need up, or finds them up.
 * @returns the facts of every part that is up
 * @throws Error that names at once all that this machine misses
 */
export async function openLab(...names: PartName[]): Promise<LabFacts> {
  const order = inOrder(names);
  return alone(async () => {
    const facts = await readFacts();
    const wanted = partsIn(order, facts);
    const check = wanted.map(({ part, context }) => ({ name: part.name, missing: async () => part.missing(context) }));
    await bringMissing(check, mayInstall() ? (packages) => install(packages) : undefined);
    for (const { part, context } of wanted) {
      const fact = await part.up(context);
      Object.assign(facts, { [part.name]: fact });
      await writeFacts(facts);
    }
    return facts;
  });
}

/**
 * Takes every part down, those that need others first, and removes the lab's running state. A part that fails does not
 * keep the others up.
 * @throws Error that names the parts that could not be taken down
 */
export async function closeLab(): Promise<void> {
  await alone(async () => {
    const facts = await readFacts();
    const failed: string[] = [];
    for (const { part, context } of partsIn(inOrder([...parts.keys()]), facts).toReversed()) {
      await part.down(context).catch((error: unknown) => void failed.push(`${part.name}: ${messageOf(error)}`));
    }
    if (failed.length > 0) throw new Error(`Not down, try again when mended:\n  ${failed.join('\n  ')}`);
    await rm(running, { recursive: true, force: true });
  });
}

/** What this machine misses of parts and of what they need; empty where `openLab` can bring them up. */
export async function lacking(...names: PartName[]): Promise<readonly Missing[]> {
  const asked = partsIn(inOrder(names), await readFacts());
  return (await Promise.all(asked.map(async ({ part, context }) => part.missing(context)))).flat();
}

/** One line per part, such as `registry: up on 127.0.0.1:5000`. */
export async function labStatus(): Promise<string[]> {
  const facts = await readFacts();
  const lines: string[] = [];
  for (const [name, part] of parts) lines.push(`${name}: ${await part.status(contextOf(name, facts))}`);
  return lines;
}

function partsIn(order: readonly PartName[], facts: LabFacts): readonly { part: Part; context: LabContext }[] {
  return order.flatMap((name) => {
    const part = parts.get(name);
    return part === undefined ? [] : [{ part, context: contextOf(name, facts) }];
  });
}

function contextOf(name: PartName, facts: LabFacts): LabContext {
  return {
    cache,
    state: join(running, name),
    facts,
    progress: (message) => void process.stderr.write(`${name}: ${message}\n`),
  };
}

async function readFacts(): Promise<LabFacts> {
  const text = await readFile(factsFile, 'utf8').catch(() => '{}');
  return JSON.parse(text) as LabFacts;
}

async function writeFacts(facts: LabFacts): Promise<void> {
  await mkdir(running, { recursive: true, mode: 0o700 });
  await writeFile(`${factsFile}.new`, JSON.stringify(facts), { mode: 0o600 });
  await rename(`${factsFile}.new`, factsFile);
}
