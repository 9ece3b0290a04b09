import type { ReadFile } from '../project/project.ts';
import { isForChecks, requirementNames } from './names.ts';
import { parseToml, tableAt } from './toml.ts';

/** What setup.cfg says of a package. */
export interface SetupCfg {
  readonly name?: string;
  readonly version?: string;
  /** `options.python_requires`. */
  readonly requiresPython?: string;
  readonly dependencies: readonly string[];
  /** Normal names in the extras. */
  readonly otherDependencies: readonly string[];
  /** Extras that checks need. */
  readonly extras: readonly string[];
}

/** The metadata of setup.cfg; undefined where it has none, as when it only configures tools. */
export function setupCfg(read: ReadFile): SetupCfg | undefined {
  const sections = parseIni(read('setup.cfg') ?? '');
  const metadata = sections.get('metadata');
  const options = sections.get('options');
  if (metadata?.get('name') === undefined && options === undefined) return undefined;
  const name = metadata?.get('name');
  const version = metadata?.get('version');
  const requiresPython = options?.get('python_requires');
  const extras = sections.get('options.extras_require');
  return {
    ...(name !== undefined && { name }),
    // `file:` and `attr:` name where the version is, which only a build can tell.
    ...(version !== undefined && !/^(?:file|attr):/.test(version) && { version }),
    ...(requiresPython !== undefined && { requiresPython }),
    dependencies: requirementNames((options?.get('install_requires') ?? '').split('\n')),
    otherDependencies: requirementNames([...(extras?.values() ?? [])].flatMap((list) => list.split('\n'))),
    extras: [...(extras?.keys() ?? [])].filter(isForChecks),
  };
}

/** Normal names of the packages of Pipfile and of its development. */
export function pipfileNames(read: ReadFile): { readonly run: readonly string[]; readonly dev: readonly string[] } {
  const table = parseToml(read('Pipfile') ?? '', 'Pipfile');
  return {
    run: requirementNames(Object.keys(tableAt(table, 'packages'))),
    dev: requirementNames(Object.keys(tableAt(table, 'dev-packages'))),
  };
}

/** Sections of an INI file as Python's configparser reads it: a value goes on in the lines that are indented. */
export function parseIni(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let key: string | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const [, heading] = /^\[([^\]]+)\]/.exec(line) ?? [];
    const [, name, value] = /^([^\s=:[][^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (heading !== undefined) {
      section = sections.get(heading) ?? new Map<string, string>();
      sections.set(heading, section);
      key = undefined;
    } else if (name !== undefined && value !== undefined) {
      key = name.toLowerCase();
      section.set(key, value.trim());
    } else if (/^\s+\S/.test(line) && key !== undefined) {
      section.set(key, `${section.get(key) ?? ''}\n${line.trim()}`.trim());
    }
  }
  return sections;
}
