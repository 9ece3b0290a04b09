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

/** What of the choices the table expects, and the sentence where there is none. */
function chosen(repository: NodeRepository): object {
  const read = readerOf(repository);
  const location = repository.repository.split('/').slice(2).join('/');
  try {
    const { name, version, root } = detectPackageManager(read, 'auto', location);
    const { alias, range, reason } = nodeVersion(read, '', location);
    return { manager: name, version, root, node: alias ?? range, by: reason };
  } catch (error) {
    return { refused: String(error) };
  }
}

test.each(nodeRepositories)('$repository at $commit', (repository) => {
  const { expected, above } = repository;
  expect(chosen(repository)).toEqual(
    'refused' in expected
      ? { refused: expect.stringContaining(expected.refused) }
      : { version: undefined, root: above ? '..' : '', ...expected, by: expect.stringContaining(expected.by) },
  );
});
