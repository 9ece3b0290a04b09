import { describe } from '@jest/globals';
import { lacking } from './lab.ts';

/**
 * `describe` for tests that need image builds, real pods or mounts, which an ordinary user may not have: without them the tests
 * are reported as skipped, and why. As root nothing is ever skipped: what is missing then is a fault of the machine.
 */
export async function describeWith(
  ...needs: readonly ('images' | 'buildkit' | 'pods' | 'mounts')[]
): Promise<typeof describe.skip> {
  if (process.getuid?.() === 0) return describe;
  const parts = (['images', 'buildkit'] as const).filter((part) => needs.includes(part));
  const missing = (await Promise.all(parts.map(async (part) => lacking(part)))).flat().map(({ what }) => what);
  if (needs.includes('pods')) missing.push('real pods, which need root');
  if (needs.includes('mounts')) missing.push('a file system of their own, which needs root');
  if (missing.length === 0) return describe;
  process.stderr.write(`Tests are skipped, as they need ${missing.join('; and ')}\n`);
  // oxlint-disable-next-line jest/no-disabled-tests -- an ordinary user's machine cannot run them
  return describe.skip;
}
