import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { environmentOf } from '../address.ts';
import { type Files, baseOf, filesIn, nearest, readSource, within } from '../files.ts';
import type { Migration } from '../migration.ts';
import type { Address, Command, Found } from '../tool.ts';

/** A package.json as far as it tells which tools a project has. */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, unknown>>;
  readonly devDependencies?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** A project of the repository that depends on a package. */
export interface JsProject {
  /** Its folder, `''` for the root. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** What runs its programs without fetching another version of them. */
  readonly manager: 'npm' | 'pnpm' | 'yarn' | 'bun';
}

/** Projects whose package.json names the package, in order of their folders. */
export function projectsWith(files: Files, dependency: string): readonly JsProject[] {
  return files.list
    .filter((file) => file === 'package.json' || file.endsWith('/package.json'))
    .flatMap((file) => {
      const manifest = parsed(files.read(file));
      const all = { ...manifest?.dependencies, ...manifest?.devDependencies };
      if (manifest === undefined || !Object.hasOwn(all, dependency)) return [];
      const folder = file.slice(0, -'/package.json'.length);
      return [{ folder: file === 'package.json' ? '' : folder, manifest, manager: managerOf(files, folder, manifest) }];
    });
}

function managerOf(files: Files, folder: string, manifest: Manifest): JsProject['manager'] {
  const named = typeof manifest['packageManager'] === 'string' ? manifest['packageManager'] : '';
  const [, known] = /^(npm|pnpm|yarn|bun)@/.exec(named) ?? [];
  if (known !== undefined) return known as JsProject['manager'];
  const has = (name: string): boolean => nearest(files, folder, [name]) !== undefined;
  if (has('pnpm-lock.yaml')) return 'pnpm';
  if (has('yarn.lock')) return 'yarn';
  return has('bun.lock') ? 'bun' : 'npm';
}

const RUN = {
  npm: ['npx', '--no', '--'],
  pnpm: ['pnpm', 'exec'],
  yarn: ['yarn', 'run'],
  bun: ['bun', 'x', '--no-install'],
} as const;

/** A program of the project's own packages. */
export function jsCommand(found: Found, address: Address, program: string, args: readonly string[]): Command {
  const [run = 'npx', ...before] = RUN[(found.settings['manager'] ?? 'npm') as JsProject['manager']];
  return { program: run, args: [...before, program, ...args], cwd: found.project, env: environmentOf(address, found) };
}

/** The value of a field of a configuration that is a program itself, where it is a plain text there. */
export function configured(text: string | undefined, field: string): string | undefined {
  return new RegExp(`\\b${field}['"]?\\s*[:=]\\s*['"\`]([^'"\`\\n$]+)['"\`]`).exec(text ?? '')?.[1];
}

/** The same for a path, which may be made of parts: `path.join(__dirname, 'db', 'migrations')`, `${__dirname}/db`. */
export function configuredPath(text: string | undefined, field: string): string | undefined {
  const value = new RegExp(
    `\\b${field}['"]?\\s*[:=]\\s*(?:(?:path\\.)?(?:join|resolve)\\(([^)\\n]*)\\)|([^,;\\n}]+\\}?[^,;\\n}]*))`,
  ).exec(text ?? '');
  const [, joined, plain = ''] = value ?? [];
  if (joined === undefined) return /^\s*['"`](?:\$\{[\w.]+\}\/)?([^'"`$\n]+)['"`]/.exec(plain)?.[1];
  const parts = [...joined.matchAll(/['"]([^'"]+)['"]/g)].map(([, part = '']) => part);
  return parts.length === 0 ? undefined : parts.join('/');
}

/** The first of a project's files by these names. */
export function fileOf(files: Files, folder: string, names: readonly string[]): string | undefined {
  const known = new Set(files.list);
  return names.map((name) => within(folder, name)).find((file) => known.has(file));
}

function parsed(text: string | undefined): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** A program's file as a tool of JavaScript loads it. */
export const SCRIPT = /\.(js|cjs|mjs|ts|cts|mts)$/;

/** The migrations of a tool whose files are programs, in the order of their names. */
export async function readPrograms(
  directory: string,
  workspace: string,
  idOf: (file: string, text: string) => string | undefined,
  reversible: (text: string) => boolean = hasDown,
): Promise<readonly Migration[]> {
  const names = (await readdir(path.join(workspace, directory), { withFileTypes: true }))
    .filter((entry) => entry.isFile() && isProgram(entry.name))
    .map(({ name }) => name)
    .toSorted((a, b) => (a < b ? -1 : 1));
  const migrations = await Promise.all(
    names.map(async (name) => {
      const { file, text, checksum } = await readSource(workspace, within(directory, name));
      const id = idOf(file, text);
      if (id === undefined) return undefined;
      return { id, name: name.replace(SCRIPT, ''), file, checksum, reversible: reversible(text) };
    }),
  );
  return migrations.filter((one) => one !== undefined);
}

/** Whether a file is a program, and not what a compiler tells of one. */
export function isProgram(file: string): boolean {
  return SCRIPT.test(file) && !/\.d\.[cm]?ts$/.test(file);
}

/** The files of a folder that are programs. */
export function programsIn(files: Files, directory: string): readonly string[] {
  return filesIn(files, directory, SCRIPT).filter((file) => isProgram(baseOf(file)));
}

/** Of a function called `down`: what it takes, and whether it has a body in braces. All bounded, as anybody wrote it. */
const DOWN =
  /^down\s{0,20}[=:]?\s{0,20}(?:async\b\s{0,20})?(?:function\b\s{0,20}\w{0,100}\s{0,20})?(?:\([^)]{0,300}\)|\w{1,100})(?:\s{0,20}:[\w<>\s]{0,100})?\s{0,20}(=>)?\s{0,20}(\{)?/;
const MAX_MENTIONS = 100;

/** Whether a migration's program has a way back that does something. */
export function hasDown(program: string): boolean {
  let mentions = 0;
  for (const { index } of program.matchAll(/\bdown\b/g)) {
    mentions += 1;
    const [head = '', arrow, brace] = DOWN.exec(program.slice(index, index + 1000)) ?? [];
    if (brace !== undefined) return doesSomething(program, index + head.length);
    if (arrow !== undefined) return true;
    if (mentions === MAX_MENTIONS) break;
  }
  return false;
}

/** Whether a body is more than comments, a bare return, or the word that there is no way back. */
function doesSomething(program: string, start: number): boolean {
  let at = start;
  for (;;) {
    while (/\s/.test(program.charAt(at))) at += 1;
    const end = program.startsWith('//', at) ? '\n' : program.startsWith('/*', at) ? '*/' : undefined;
    if (end === undefined) break;
    const found = program.indexOf(end, at);
    if (found === -1) return false;
    at = found + end.length;
  }
  return !/^(?:return\s{0,20};?\s{0,20})?\}|^throw\b/.test(program.slice(at, at + 100));
}
