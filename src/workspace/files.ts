import path from 'node:path';
import { isObject, plainJson } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';
import type { Workspace } from './graph.ts';

/** What a changed file reaches: one package, all of them, or none. */
export type Reach = { readonly kind: 'package'; readonly folder: string } | { readonly kind: 'all' | 'none' };

/** What the rules on files need to know. */
export interface FileRules {
  readonly workspace: Pick<Workspace, 'packages'>;
  /** Folder of the workspace from the root of the repository, `''` where both are one. */
  readonly folder: string;
  /** The workflow that runs and those that it calls, as paths in the repository. */
  readonly workflows: ReadonlySet<string>;
  /** Globs of files that count for all packages, from the workspace's root: of turbo.json and nx.json. */
  readonly global: readonly string[];
}

/** Words for people, and settings of tools that take no part in a build or check. */
const NO_MATTER =
  /^(?:[^/]+\.(?:md|mdx|markdown)|(?:LICEN[CS]E|NOTICE|AUTHORS|CODEOWNERS|CHANGELOG)[^/]*|\.(?:gitignore|gitattributes|mailmap|git-blame-ignore-revs)|\.(?:vscode|idea|husky|changeset)\/.*|\.github\/(?!actions\/).*)$/i;

/**
 * Whether a file outside of all packages has no part in building or checking one: texts for readers, editors' settings,
 * and what is under .github.
 * @param file from the workspace's root
 */
export function isOfNoMatter(file: string): boolean {
  return NO_MATTER.test(file);
}

/**
 * What a change of a file reaches. In doubt it is all: a file at the root, or in a folder of no package, may be read by
 * any of them. Folders beside that of the workspace belong to other projects.
 * @param file from the root of the repository, with `/`
 */
export function reachOf(file: string, { workspace, folder, workflows, global }: FileRules): Reach {
  if (workflows.has(file)) return { kind: 'all' };
  const inside = path.posix.relative(folder, file);
  if (inside.startsWith('../')) return { kind: file.includes('/') || isOfNoMatter(file) ? 'none' : 'all' };
  if (global.some((pattern) => path.posix.matchesGlob(inside, pattern))) return { kind: 'all' };
  for (let at = path.posix.dirname(inside); at !== '.'; at = path.posix.dirname(at)) {
    if (workspace.packages.has(at)) return { kind: 'package', folder: at };
  }
  return { kind: isOfNoMatter(inside) ? 'none' : 'all' };
}

/** A workflow and those of the same repository that it calls (`uses: ./.github/workflows/…`), directly or by others. */
export function workflowsOf(workflow: string, read: ReadFile): ReadonlySet<string> {
  const found = new Set([workflow]);
  // A set hands out what is added while it is walked.
  for (const file of found) {
    for (const [called] of (read(file) ?? '').matchAll(/\.github\/workflows\/[\w.-]+\.ya?ml/g)) found.add(called);
  }
  return found;
}

/** The tool that a repository runs its packages' scripts with, beside its package manager. */
export interface Orchestrator {
  readonly name: 'turbo' | 'nx';
  readonly file: string;
  /** Globs of files that count for every package. */
  readonly global: readonly string[];
}

/** Finds turbo by turbo.json and nx by nx.json; what cannot be read in them is left to them to say. */
export function orchestratorOf(read: ReadFile): Orchestrator | undefined {
  for (const file of ['turbo.json', 'turbo.jsonc']) {
    const turbo = settings(read(file));
    if (turbo !== undefined) return { name: 'turbo', file, global: globs(turbo['globalDependencies']) };
  }
  const nx = settings(read('nx.json'));
  if (nx === undefined) return undefined;
  const inputs = isObject(nx['namedInputs']) ? nx['namedInputs'] : {};
  const shared = globs(inputs['sharedGlobals']).flatMap((one) => one.split('{workspaceRoot}/').slice(1));
  return { name: 'nx', file: 'nx.json', global: shared };
}

/** Both files may have comments and commas before a closing bracket. */
function settings(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(plainJson(text));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function globs(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one) => typeof one === 'string' && one.length < 300 && !/^[$!^]/.test(one)).map(String);
}
