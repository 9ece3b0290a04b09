// What a run pays before its first useful act: cold start of each bundle, and the bytes every job downloads.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { bareNode, firstRequest, median } from './cold-start.ts';
import { archiveBytes, distBytes } from './size.ts';

const TARGET_MS = 150;
const TARGET_GZ = 1_500_000;
const ROUNDS = Number(process.env['ROUNDS'] ?? 15);

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
if (!existsSync(dist)) throw new Error('there is no dist/: run `npm run build` first');

const bare: number[] = [];
for (let i = 0; i < ROUNDS; i++) bare.push(await bareNode());
const floor = median(bare);
console.log(`node -e 0: ${floor.toFixed(0)} ms (median of ${ROUNDS})`);
console.log(`\n${'bundle'.padEnd(16)} first own request   beyond bare node   target`);
for (const name of readdirSync(dist).toSorted()) {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const took = await firstRequest(path.join(dist, name, 'index.js'), name);
    if (took !== undefined) times.push(took);
  }
  if (times.length === 0) {
    console.log(`${name.padEnd(16)} made no request: not measured`);
    continue;
  }
  const total = median(times);
  const beyond = total - floor;
  console.log(
    `${name.padEnd(16)} ${`${total.toFixed(0)} ms`.padEnd(19)} ${`${beyond.toFixed(0)} ms`.padEnd(18)} ${judge(beyond, TARGET_MS, `${TARGET_MS} ms`)}`,
  );
}

const { raw, gz } = distBytes(root);
console.log(`\ndist/ raw         ${mega(raw)}`);
console.log(`dist/ gzipped     ${mega(gz)}   ${judge(gz, TARGET_GZ, mega(TARGET_GZ))}`);
const archive = archiveBytes(root);
console.log(`what a job downloads (.tar.gz of HEAD, as GitHub makes it)   ${mega(archive)}`);

function judge(value: number, target: number, shown: string): string {
  return `<= ${shown}: ${value <= target ? 'met' : 'MISSED'}`;
}

function mega(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}
