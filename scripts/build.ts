// Source to bundle in one command: a folder of dist/ for each action, and the chunks that they share. The output depends
// on nothing but the sources and the lockfile, so CI can build again and compare.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const out = path.resolve(process.argv[2] ?? path.join(root, 'dist'));

rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(actions().map((name) => [`${name}/index`, `src/${name}/index.ts`])),
  outdir: out,
  bundle: true,
  // What several actions use, and what is imported only when it is needed, becomes a chunk that stands once for all.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The ES modules of a package, out of which only what is used is taken.
  mainFields: ['module', 'main'],
  // Packages in CommonJS still ask for Node's own modules by require.
  banner: { js: "import{createRequire as __require}from'node:module';const require=__require(import.meta.url);" },
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(path.join(out, 'package.json'), '{"type":"module"}\n');
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  if (file.endsWith('index.js') || bytes > 100_000)
    console.log(`${path.relative(root, path.resolve(root, file))}: ${bytes} bytes`);
}

/** An action is a folder of src/ with an index.ts. */
function actions(): string[] {
  return readdirSync(path.join(root, 'src')).filter((name) => existsSync(path.join(root, 'src', name, 'index.ts')));
}
