// Writes the tables of all READMEs from action.yml and the workflow files; with --check it only compares.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readmes } from './readmes.ts';

const root = path.resolve(import.meta.dirname, '..');
const stale = readmes(root).filter(({ now, wanted }) => now !== wanted);

if (process.argv.includes('--check')) {
  for (const { file } of stale) console.error(`${file}: its tables are not what action.yml says: run \`npm run docs\``);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const { file, wanted } of stale) writeFileSync(path.join(root, file), wanted);
  console.log(stale.length === 0 ? 'all tables are in step' : `wrote ${stale.map(({ file }) => file).join(', ')}`);
}
