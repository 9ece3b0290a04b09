import { parseArgs } from 'node:util';
import { messageOf } from '../../src/action/errors.ts';
import { closeLab, labStatus, openLab } from './lab.ts';
import type { PartName } from './part.ts';
import { parts } from './parts.ts';

const known = [...parts.keys()];
const help = `The lab: real parts for tests and the demo, on this machine alone.

  npm run lab -- up [part…]    brings parts and what they need up, all without a name; finds them up when they are
  npm run lab -- status        says which parts are up and where
  npm run lab -- down          ends all of it: no process, mount, interface or file stays; downloads stay in the cache

Parts: ${known.join(', ')}

Options of up:
  --install            installs the Debian packages that are missing; as root on Debian
  --kubeconfig FILE    takes the cluster of this kubeconfig in place of one of the lab's own, and leaves it as it is

Environment: LAB_INSTALL=1 and LAB_KUBECONFIG=FILE do what the options do; LAB_DOWNLOADS=URL is a mirror of the places
that programs are downloaded from; XDG_CACHE_HOME is where downloads, builds and the running state are kept.
`;

// Whatever is half up has its process ids on file, so `down` ends it. The lock and work folders go with this process.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    process.stderr.write('\nInterrupted. `npm run lab -- down` ends what has started, `up` goes on from here\n');
    process.exit(code);
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { install: { type: 'boolean' }, kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const [command, ...names] = positionals;
  if (values.help === true || command === 'help') return void process.stdout.write(help);
  const unknown = names.filter((name) => !isPart(name));
  if (unknown.length > 0) throw new Error(`The lab has no part ${unknown.join(', ')}; it has ${known.join(', ')}`);
  if (command !== 'up' && command !== 'status' && command !== 'down') throw new Error(help);
  if (command !== 'up' && (names.length > 0 || values.install === true || values.kubeconfig !== undefined)) {
    throw new Error(`${command} takes no parts or options: it is about the whole lab`);
  }
  if (values.install === true) process.env['LAB_INSTALL'] = '1';
  if (values.kubeconfig !== undefined) process.env['LAB_KUBECONFIG'] = values.kubeconfig;
  if (command === 'up') await openLab(...(names.length > 0 ? names.filter(isPart) : known));
  if (command === 'down') await closeLab();
  for (const line of await labStatus()) process.stdout.write(`${line}\n`);
}

function isPart(name: string): name is PartName {
  return known.some((one) => one === name);
}
