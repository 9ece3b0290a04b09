// The stories of this repository, on this machine: npm run demo [-- <story>] [-- --keep]
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/action/errors.ts';
import { closeLab } from '../lab/lab.ts';
import { tellMigrate } from './demo-migrate.ts';
import { tellNode } from './demo-node.ts';
import { tellPython } from './demo-python.ts';
import { tellWeb } from './demo-web.ts';
import { type Story, openStage } from './stage.ts';
import { screen } from './terminal.ts';

const stories: Readonly<Record<string, Story>> = {
  node: tellNode,
  python: tellPython,
  web: tellWeb,
  migrate: tellMigrate,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'boolean', default: false } },
});
const [name = 'node', ...more] = positionals;
const story = stories[name];
const onScreen = screen();
const { title, say } = onScreen;
const interrupted = new AbortController();
const owned: (() => Promise<void>)[] = [];

if (story === undefined || more.length > 0) {
  process.stderr.write(`There is no story ${positionals.join(' ')}; there are ${Object.keys(stories).join(', ')}\n`);
  process.exit(1);
}
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    say('interrupted: what is under way is ended');
    interrupted.abort();
    void cleanUp().finally(() => process.exit(code));
  });
}

try {
  process.env['LAB_INSTALL'] ??= '1';
  await story(openStage(onScreen, options.keep, interrupted.signal, (remove) => owned.push(remove)));
} catch (error) {
  // What an interrupted step complains of is no news, and its cleaning up is under way.
  if (interrupted.signal.aborted) await new Promise(() => {});
  process.stderr.write(`\nThe demo ended early: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  if (!options.keep || process.exitCode === 1) await cleanUp();
}

async function cleanUp(): Promise<void> {
  title('Cleaning up');
  for (const remove of owned.splice(0)) await remove();
  await closeLab();
  say('no process, mount, interface or file is left; downloads stay in the cache');
  if (name === 'node' && process.getuid?.() !== 0) say('a Docker engine of yours keeps the images that it built');
}
