import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** A file that two folders do not share. */
export interface Difference {
  /** Path inside the folders. */
  readonly file: string;
  readonly why: 'missing' | 'left over' | 'different';
}

/** What has to change in the folder `actual` to be what `expected` is, byte for byte; in order of file name. */
export function differences(expected: string, actual: string): readonly Difference[] {
  const [want, have] = [files(expected), files(actual)];
  return [...new Set([...want, ...have])].toSorted().flatMap((file): Difference[] => {
    if (!have.has(file)) return [{ file, why: 'missing' }];
    if (!want.has(file)) return [{ file, why: 'left over' }];
    const same = readFileSync(path.join(expected, file)).equals(readFileSync(path.join(actual, file)));
    return same ? [] : [{ file, why: 'different' }];
  });
}

function files(folder: string): ReadonlySet<string> {
  if (!existsSync(folder)) return new Set();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Set(entries.filter((e) => e.isFile()).map((e) => path.relative(folder, path.join(e.parentPath, e.name))));
}
