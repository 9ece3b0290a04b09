// What a run pays before its first useful act: cold start of each bundle, and the bytes every job downloads.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bareNode, median, untilAsked } from './cold-start.ts';
import { scenarios } from './scenarios.ts';
import { archiveBytes, distBytes } from './size.ts';

const TARGET_MS = 150;
const TARGET_GZ = 1_500_000;
const ROUNDS = Number(process.env['ROUNDS'] ?? 15);

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
if (!existsSync(dist)) throw new Error('there is no dist/: run `npm run build` first');

// Round by round, so that what else the machine does meets all of them alike.
const bare: number[] = [];
const times = scenarios.map((): number[] => []);
for (let round = 0; round < ROUNDS; round += 1) {
  bare.push(await bareNode());
  for (const [i, scenario] of scenarios.entries()) {
    const took = await untilAsked(path.join(dist, scenario.action, 'index.js'), scenario);
    if (took !== undefined) times[i]?.push(took);
  }
}
const floor = median(bare);
console.log(`node -e 0: ${floor.toFixed(0)} ms (medians of ${ROUNDS} rounds)\n`);
console.log(row(['bundle', 'until it asks for', 'total', 'beyond node', 'x node', 'target']));
for (const [i, { action, until, isFirst }] of scenarios.entries()) {
  const total = median(times[i] ?? []);
  const beyond = total - floor;
  const shown = Number.isNaN(total)
    ? ['never asked', '', '', '']
    : [ms(total), ms(beyond), (total / floor).toFixed(1), isFirst ? judge(beyond, TARGET_MS, ms(TARGET_MS)) : ''];
  console.log(row([action, until, ...shown]));
}
console.log(`
What teams use instead (configure-aws-credentials, setup-node, build-push-action, kubectl and the like) is published as
repositories and programs, not as npm packages, so it is not measured here.`);

const { raw, gz } = distBytes(root);
console.log(`\ndist/ raw         ${mega(raw)}`);
console.log(`dist/ gzipped     ${mega(gz)}   ${judge(gz, TARGET_GZ, mega(TARGET_GZ))}`);
const archive = archiveBytes(root);
console.log(`what a job downloads (.tar.gz of HEAD, as GitHub makes it)   ${mega(archive)}`);

function row([bundle = '', until = '', ...figures]: readonly string[]): string {
  return [bundle.padEnd(12), until.padEnd(38), ...figures.map((figure) => figure.padEnd(13))].join(' ').trimEnd();
}

function judge(value: number, target: number, shown: string): string {
  return `<= ${shown}: ${value <= target ? 'met' : 'MISSED'}`;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function mega(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}
