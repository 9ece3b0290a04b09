import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SUBNETS = 254;

/** A bridge between containers and this machine, and nothing else. */
export interface Bridge {
  readonly name: string;
  /** This machine's address on it, where containers reach what a test serves. */
  readonly address: string;
}

/** The bridge's name for a lab: a hash keeps labs in other caches apart, within the 15 characters of a Linux name. */
export function bridgeName(state: string): string {
  return `labimg${createHash('sha256').update(state).digest('hex').slice(0, 6)}`;
}

/**
 * Makes a bridge with a /24 of its own, or finds it made. The machine's firewall, forwarding and routes stay as they
 * are: containers reach this machine at the bridge's address and nothing beyond.
 */
export async function bringBridge(name: string): Promise<Bridge> {
  const known = await addressOf(name);
  if (known !== undefined) return { name, address: known };
  const address = await freeAddress(name);
  await removeBridge(name);
  await run('ip', ['link', 'add', name, 'type', 'bridge']);
  await run('ip', ['addr', 'add', `${address}/24`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  return { name, address };
}

/** Removes the bridge; nothing happens where there is none. */
export async function removeBridge(name: string): Promise<void> {
  await run('ip', ['link', 'del', name]).catch(() => undefined);
}

async function addressOf(name: string): Promise<string | undefined> {
  const { stdout } = await run('ip', ['-json', 'addr', 'show', 'dev', name]).catch(() => ({ stdout: '[]' }));
  const [link] = JSON.parse(stdout) as { addr_info?: { family: string; local: string }[] }[];
  return link?.addr_info?.find(({ family }) => family === 'inet')?.local;
}

/** One of 10.213.1.0/24 to 10.213.254.0/24 that no route of this machine leads to. */
async function freeAddress(name: string): Promise<string> {
  const { stdout } = await run('ip', ['-json', 'route', 'show', 'table', 'all']);
  const taken = new Set((JSON.parse(stdout) as { dst: string }[]).map(({ dst }) => dst));
  const first = Number.parseInt(createHash('sha256').update(name).digest('hex').slice(0, 4), 16);
  for (let tried = 0; tried < SUBNETS; tried += 1) {
    const subnet = `10.213.${((first + tried) % SUBNETS) + 1}`;
    if (!taken.has(`${subnet}.0/24`)) return `${subnet}.1`;
  }
  throw new Error('Every subnet of 10.213.0.0/16 is taken');
}
