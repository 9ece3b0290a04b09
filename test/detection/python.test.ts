import { expect, test } from '@jest/globals';
import type { ReadFile } from '../../src/project/project.ts';
import { detectProject } from '../../src/python/project.ts';
import { inRange, pythonRange } from '../../src/python/version.ts';
import { type PythonRepository, pythonRepositories } from './python-repositories.ts';

/** A project with what the table tells of a repository: its files are empty but for these fields. */
function readerOf({ repository, files, fields, versions }: PythonRepository): ReadFile {
  const name = repository.replaceAll('/', '-');
  const lines = [
    ...(fields?.project === true ? ['[project]', `name = "${name}"`, 'version = "1.0.0"'] : []),
    ...(fields?.requires === undefined ? [] : [`requires-python = "${fields.requires}"`]),
    ...(fields?.backend === undefined
      ? []
      : ['[build-system]', 'requires = []', `build-backend = "${fields.backend}"`]),
    ...(fields?.groups === undefined ? [] : ['[dependency-groups]', ...fields.groups.map((group) => `${group} = []`)]),
    ...(fields?.tools ?? []).map((tool) => `[tool.${tool}]`),
  ];
  const all: Record<string, string> = {
    ...Object.fromEntries(
      files.map((file) => [file, file.endsWith('.lock') && !file.startsWith('Pipfile') ? 'version = 1\n' : '']),
    ),
    ...(files.includes('Pipfile.lock') && { 'Pipfile.lock': '{}' }),
    ...(files.includes('requirements.txt') && { 'requirements.txt': 'a==1.0.0\n' }),
    ...versions,
    ...(fields !== undefined && { 'pyproject.toml': `${lines.join('\n')}\n` }),
  };
  return (file) => all[file];
}

test.each(pythonRepositories)('$repository at $commit', (repository) => {
  const read = readerOf(repository);
  const { tool, kind, lockfile } = detectProject(read);
  expect({ tool, kind, lockfile }).toEqual({ lockfile: undefined, ...repository.expected });
  expect(inRange('3.14.0', pythonRange(read))).toBe(true);
  expect(inRange('3.8.0', pythonRange(read))).toBe(repository.fields?.requires === undefined && !repository.versions);
});
