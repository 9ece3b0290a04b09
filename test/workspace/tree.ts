import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readerOf } from '../../src/project/project.ts';
import { type Workspace, readWorkspace } from '../../src/workspace/graph.ts';

/** Files by path: a text, or what becomes JSON. */
export type Files = Readonly<Record<string, string | object>>;

export function write(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** Gives `use` a real temporary folder with these files; it is removed afterwards. */
export function inTree<T>(files: Files, use: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'workspace-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let result: T;
  try {
    write(folder, files);
    result = use(folder);
  } catch (error) {
    remove();
    throw error;
  }
  if (!(result instanceof Promise)) remove();
  return result instanceof Promise ? (result.finally(remove) as T) : result;
}

/** A package's manifest. */
export function manifest(name: string, more: object = {}): object {
  return { name, version: '1.0.0', ...more };
}

/** A workspace of npm with packages under packages/, by what each needs and its scripts. */
export function packages(
  all: Readonly<
    Record<string, { readonly needs?: readonly string[]; readonly scripts?: object; readonly more?: object }>
  >,
  root: object = {},
): Files {
  const entries = Object.entries(all).map(([name, { needs = [], scripts = {}, more = {} }]) => [
    `packages/${name}/package.json`,
    manifest(name, { scripts, dependencies: Object.fromEntries(needs.map((one) => [one, '1.0.0'])), ...more }),
  ]);
  return { 'package.json': { name: 'root', workspaces: ['packages/*'], ...root }, ...Object.fromEntries(entries) };
}

export function workspaceOf(folder: string): Workspace {
  const workspace = readWorkspace(folder, readerOf(folder));
  if (workspace === undefined) throw new Error('it is no workspace');
  return workspace;
}
