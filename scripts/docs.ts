// Writes the tables of all READMEs from action.yml and the workflow files, and the page of the linter's hazards; with
// --check it only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HAZARDS_PAGE, hazardsPage } from './hazards.ts';
import { readmes } from './readmes.ts';

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, HAZARDS_PAGE);
const hazards = {
  file: HAZARDS_PAGE,
  now: existsSync(page) ? readFileSync(page, 'utf8') : '',
  wanted: await hazardsPage(),
};
const stale = [...readmes(root), hazards].filter(({ now, wanted }) => now !== wanted);

if (process.argv.includes('--check')) {
  for (const { file } of stale) console.error(`${file}: it is not what the sources say: run \`npm run docs\``);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const { file, wanted } of stale) writeFileSync(path.join(root, file), wanted);
  console.log(stale.length === 0 ? 'all pages are in step' : `wrote ${stale.map(({ file }) => file).join(', ')}`);
}
