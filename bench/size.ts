import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes of all files in dist/: as they are, and of one gzipped tar of them. */
export function distBytes(root: string): { readonly raw: number; readonly gz: number } {
  const dist = path.join(root, 'dist');
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const raw = files.reduce((sum, e) => sum + readFileSync(path.join(e.parentPath, e.name)).length, 0);
  const tar = execFileSync('tar', ['-C', root, '--sort=name', '-cf', '-', 'dist'], { maxBuffer: 1 << 30 });
  return { raw, gz: gzipSync(tar).length };
}

/** Bytes of the archive that a job downloads: the commit without what .gitattributes keeps out. */
export function archiveBytes(root: string): number {
  return execFileSync('git', ['-C', root, 'archive', '--format=tar.gz', 'HEAD'], { maxBuffer: 1 << 30 }).length;
}
