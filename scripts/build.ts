// Source to bundle in one command: tsc emits JavaScript, ncc makes one folder per action of it. The output depends
// on nothing but the sources and the lockfile, so CI can build again and compare.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { minify } from 'terser';

const root = path.resolve(import.meta.dirname, '..');
const out = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
const bin = (name: string): string => path.join(root, 'node_modules', '.bin', name);

interface Bundle {
  readonly code: string;
  readonly assets: Readonly<Record<string, { readonly source: string | Buffer }>>;
}
type Ncc = (input: string, options: object) => Promise<Bundle>;
const ncc = createRequire(import.meta.url)('@vercel/ncc') as Ncc;

rmSync(path.join(root, 'build'), { recursive: true, force: true });
execFileSync(bin('tsc'), ['-p', path.join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
cpSync(path.join(root, 'package.json'), path.join(root, 'build', 'package.json'));

rmSync(out, { recursive: true, force: true });
for (const name of actions()) {
  const { code, assets } = await ncc(path.join(root, 'build', name, 'index.js'), {
    minify: true,
    quiet: true,
    cache: false,
    // The ES modules of a package, out of which only what is used is taken.
    mainFields: ['module', 'main'],
  });
  const files: Bundle['assets'] = { 'index.js': { source: code }, ...assets };
  for (const [file, { source }] of Object.entries(files)) {
    const target = path.join(out, name, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, /^\d+\.index\.js$/.test(file) ? await smaller(source.toString()) : source);
  }
  console.log(`dist/${name}: ${Object.keys(files).length} files`);
}

/** ncc minifies index.js alone: the chunks beside it still hold what nothing uses. */
async function smaller(source: string): Promise<string> {
  const { code } = await minify(source, { module: true, ecma: 2020 });
  if (code === undefined) throw new Error('terser gave nothing');
  return code;
}

/** An action is a folder of src/ with an index.ts. */
function actions(): string[] {
  return readdirSync(path.join(root, 'src')).filter((name) => existsSync(path.join(root, 'src', name, 'index.ts')));
}
