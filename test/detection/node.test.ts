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

test.each(nodeRepositories)('$repository at $commit', (repository) => {
  const read = readerOf(repository);
  const location = repository.repository.split('/').slice(2).join('/');
  const { expected } = repository;
  if ('refused' in expected) {
    expect(() => detectPackageManager(read, 'auto', location)).toThrow(expected.refused);
    return;
  }
  const manager = detectPackageManager(read, 'auto', location);
  const node = nodeVersion(read, '', location);
  expect({ manager: manager.name, version: manager.version, node: node.alias ?? node.range }).toEqual({
    manager: expected.manager,
    version: expected.version,
    node: expected.node,
  });
  expect(node.reason).toContain(expected.by);
  expect(manager.root).toBe(repository.above === undefined ? '' : '..');
});
