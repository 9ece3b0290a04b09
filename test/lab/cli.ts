import { closeLab, labStatus, openLab } from './lab.ts';
import type { PartName } from './part.ts';
import { parts } from './parts.ts';

const [command, ...names] = process.argv.slice(2);
const isPart = (name: string): name is PartName => [...parts.keys()].some((known) => known === name);

try {
  const unknown = names.filter((name) => !isPart(name));
  if (unknown.length > 0) {
    throw new Error(`The lab has no part ${unknown.join(', ')}; it has ${[...parts.keys()].join(', ')}`);
  }
  if (command === 'up') {
    await openLab(...(names.length > 0 ? names.filter(isPart) : parts.keys()));
  } else if (command === 'down') {
    await closeLab();
  } else if (command !== 'status') {
    throw new Error('Use: npm run lab -- up [part…] | status | down');
  }
  for (const line of await labStatus()) process.stdout.write(`${line}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
