import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../action/errors.ts';
import { type RecentFile, recentFiles } from '../project/recent-files.ts';
import { parseCobertura } from './cobertura.ts';
import { type Lines, type ParsedCoverage, type Total, addLine, totalOf } from './coverage.ts';
import { parseIstanbul } from './istanbul.ts';
import { parseLcov } from './lcov.ts';

const MAX_BYTES = 50_000_000;
const MAX_TOTAL = 150_000_000;

/** `coverage/lcov.info`, `cobertura-coverage.xml`, `coverage-final.json`, `coverage.xml`, `reports/unit.lcov`. */
const NAMED = /(?:cov|cobertura)[^/]*\/?[^/]*\.(?:info|lcov|xml|json)$|\.(?:lcov|info)$/i;

/** What the coverage reports of a project say together. */
export interface Coverage {
  /** The reports, relative to the project's folder. */
  readonly reports: readonly string[];
  /** Which lines ran, by file relative to the root of the repository. */
  readonly files: ReadonlyMap<string, Lines>;
  readonly total: Total;
  /** Reports that could not be read: a sentence each. */
  readonly unreadable: readonly string[];
}

/**
 * Finds the coverage reports under `directory` written at or after `since` (milliseconds since 1970), by name and by
 * content, and puts them together: a line ran when any of them says so. Files outside `workspace` are left out.
 */
export function findCoverage(directory: string, workspace: string, since: number): Coverage {
  const files = new Map<string, Map<number, number>>();
  const reports: string[] = [];
  const unreadable: string[] = [];
  let summary: Total | undefined;
  let bytes = 0;
  for (const found of recentFiles(directory, since, NAMED)) {
    try {
      bytes += found.size;
      if (found.size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES / 1e6} MB`);
      if (bytes > MAX_TOTAL) throw new Error(`is left out: all reports together are larger than ${MAX_TOTAL / 1e6} MB`);
      const parsed = parse(found, readFileSync(path.join(directory, found.file), 'utf8'));
      if (parsed === undefined) continue;
      reports.push(found.file);
      if (parsed.total !== undefined) summary = parsed.total;
      const locate = locator(path.join(directory, path.dirname(found.file)), parsed.roots, workspace);
      for (const [name, lines] of parsed.files) {
        const file = locate(name);
        if (file === undefined) continue;
        const known = files.get(file) ?? new Map<number, number>();
        for (const [line, hits] of lines) addLine(known, line, hits);
        files.set(file, known);
      }
    } catch (error) {
      unreadable.push(`${found.file} ${messageOf(error)}`);
    }
  }
  const total = files.size > 0 ? totalOf([...files.values()].flatMap((lines) => [...lines.values()])) : summary;
  return { reports, files, total: total ?? { total: 0, covered: 0 }, unreadable };
}

function parse({ file, size }: RecentFile, text: string): ParsedCoverage | undefined {
  if (/\.xml$/i.test(file)) return parseCobertura(text);
  if (!/\.json$/i.test(file)) {
    if (size === 0) throw new Error('is empty');
    return parseLcov(text);
  }
  try {
    return parseIstanbul(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`is not JSON: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Finds a report's file names in the repository: names are absolute, or relative to where the tool ran, which is the
 * report's folder or one above it, or to a root that the report names.
 */
function locator(folder: string, roots: readonly string[], workspace: string): (name: string) => string | undefined {
  const real = realpathSync(workspace);
  const inside = (file: string): string | undefined => {
    const relative = [workspace, real]
      .map((root) => path.relative(root, file))
      .find((one) => !/^\.\.(?:\/|$)/.test(one));
    const foreign = relative === undefined || relative === '' || path.isAbsolute(relative);
    return foreign || /(?:^|\/)node_modules\//.test(relative) ? undefined : relative;
  };
  const bases = roots.map((root) => path.resolve(folder, root));
  for (let base = folder; inside(base) !== undefined; base = path.dirname(base)) bases.push(base);
  bases.push(workspace);
  return (name) => {
    if (name === '' || name.includes('\0')) return undefined;
    const places = path.isAbsolute(name) ? [name] : bases.map((base) => path.join(base, name));
    const found = places.find((place) => inside(place) !== undefined && existsSync(place));
    return found === undefined ? undefined : inside(found);
  };
}
