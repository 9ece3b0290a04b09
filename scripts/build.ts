// Source to bundle in one command: a folder of dist/ for each action, and the chunks that they share. The output depends
// on nothing but the sources and the lockfile, so CI can build again and compare.
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle } from './bundle.ts';

const root = path.resolve(import.meta.dirname, '..');
const out = path.resolve(process.argv[2] ?? path.join(root, 'dist'));

rmSync(out, { recursive: true, force: true });
const entries = Object.fromEntries(actions().map((name) => [`${name}/index`, `src/${name}/index.ts`]));
const metafile = await bundle(entries, out);
// Test runners load these files themselves, see src/test-report/recording.ts.
cpSync(path.join(root, 'src', 'recorders'), path.join(out, 'recorders'), { recursive: true });
// A pod runs this file, see src/deadman/deadman.ts.
cpSync(path.join(root, 'src', 'deadman', 'guard.mjs'), path.join(out, 'deadman', 'guard.mjs'));
writeFileSync(path.join(out, 'package.json'), '{"type":"module"}\n');
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  if (file.endsWith('index.js') || bytes > 100_000)
    console.log(`${path.relative(root, path.resolve(root, file))}: ${bytes} bytes`);
}

/** An action is a folder of src/ with an index.ts. */
function actions(): string[] {
  return readdirSync(path.join(root, 'src')).filter((name) => existsSync(path.join(root, 'src', name, 'index.ts')));
}
