import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Metafile, build } from 'esbuild';
import { leanMysql } from './lean-mysql.ts';

const root = path.resolve(import.meta.dirname, '..');

/**
 * Bundles programs into a folder: one file for each, and the chunks that they share.
 * @param entries name of each in the folder, without `.js`, to its source
 */
export async function bundle(entries: Readonly<Record<string, string>>, outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir,
    bundle: true,
    // What several actions use, and what is imported only when it is needed, becomes a chunk that stands once for all.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // The ES modules of a package, out of which only what is used is taken.
    mainFields: ['module', 'main'],
    // Packages in CommonJS still ask for Node's own modules by require, and look for their files beside themselves.
    banner: {
      js: "import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;",
    },
    plugins: [leanMysql],
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  copyParser(metafile, outdir);
  return metafile;
}

const PARSER = 'node_modules/libpg-query/wasm/libpg-query';

/** PostgreSQL's parser reads its WebAssembly from the folder that its code lies in: as an import of its own, a chunk. */
function copyParser(metafile: Metafile, outdir: string): void {
  // Elsewhere than here where node_modules is a link.
  if (!Object.keys(metafile.inputs).some((file) => file.endsWith(`${PARSER}.js`))) return;
  mkdirSync(path.join(outdir, 'chunks'), { recursive: true });
  cpSync(path.join(root, `${PARSER}.wasm`), path.join(outdir, 'chunks', 'libpg-query.wasm'));
}
