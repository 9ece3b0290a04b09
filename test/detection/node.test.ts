import { expect, test } from '@jest/globals';
import { detectPackageManager } from '../../src/node/package-manager.ts';
import { nodeVersion } from '../../src/node/version.ts';
import type { ReadFile } from '../../src/project/project.ts';
import { type NodeRepository, nodeRepositories } from './node-repositories.ts';

/** A project with what the table tells of a repository: lockfiles hold no more than what tells their form. */
function readerOf({ repository, files, fields, above, versions, berry }: NodeRepository): ReadFile {
  const yarn = berry === true ? '__metadata:\n  version: 8\n' : '# yarn lockfile v1\n';
  const contents = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, name === 'yarn.lock' ? yarn : '{}']));
  const name = repository.replaceAll('/', '-');
  const all: Record<string, string> = {
    ...contents(files),
    ...versions,
    'package.json': JSON.stringify({ name, ...fields }),
  };
  if (above !== undefined) {
    const root = { ...contents(above.files), 'package.json': JSON.stringify({ name: 'root', ...above.fields }) };
    for (const [file, text] of Object.entries(root)) all[`../${file}`] = text;
  }
  return (file) => all[file];
}

/** The choices for a repository as the table writes them: a sentence by the part of it that the table names. */
function chosen(repository: NodeRepository): object {
  const read = readerOf(repository);
  const location = repository.repository.split('/').slice(2).join('/');
  const { expected } = repository;
  try {
    const { name, version, root } = detectPackageManager(read, 'auto', location);
    const { alias, range, reason } = nodeVersion(read, '', location);
    const by = 'by' in expected && reason.includes(expected.by) ? expected.by : reason;
    return { manager: name, ...(version && { version }), ...(root && { root }), node: alias ?? range, by };
  } catch (error) {
    const said = String(error);
    return { refused: 'refused' in expected && said.includes(expected.refused) ? expected.refused : said };
  }
}

test.each(nodeRepositories)('$repository at $commit', (repository) => {
  const { expected, above } = repository;
  expect(chosen(repository)).toEqual({ ...expected, ...(above && { root: '..' }) });
});
