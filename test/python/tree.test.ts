import { expect, test } from '@jest/globals';
import { treeKey } from '../../src/cache/dependencies.ts';
import { detectProject } from '../../src/python/project.ts';
import { environmentTree } from '../../src/python/tree.ts';

const programs = {
  python: { path: '/py/bin/python3', version: '3.12.1', from: 'PATH' },
  uv: { path: '/bin/uv', version: '0.9.0', from: 'PATH' },
};
const app = {
  'pyproject.toml': '[project]\nname = "routes"\nversion = "1.0.0"\ndependencies = ["six"]\n',
  'uv.lock':
    'version = 1\n[[package]]\nname = "six"\nversion = "1.16.0"\nsource = { registry = "https://index.example/simple" }\n',
};

function keyOf(
  files: Readonly<Record<string, string>>,
  directory = '/w/routes',
  versions = programs,
): string | undefined {
  const read = (file: string): string | undefined => files[file];
  const tree = environmentTree(detectProject(read), directory, versions, read);
  return tree && treeKey(tree).key;
}

test.each<[string, Parameters<typeof keyOf>]>([
  ['the lockfile', [{ ...app, 'uv.lock': app['uv.lock'].replace('1.16.0', '1.17.0') }]],
  ['settings of uv', [{ ...app, 'uv.toml': 'compile-bytecode = true\n' }]],
  ['the folder, which an environment names', [app, '/w/other']],
  ['the interpreter', [app, undefined, { ...programs, python: { ...programs.python, version: '3.12.2' } }]],
])('another environment by %s', (_, given) => {
  expect(keyOf(app)).toBeDefined();
  expect(keyOf(...given)).toBeDefined();
  expect(keyOf(...given)).not.toBe(keyOf(app));
});

test('what says nothing of installed packages keeps it', () => {
  expect(keyOf({ ...app, 'main.py': 'print(1)' })).toBe(keyOf(app));
});

test.each([
  ['nothing holds the versions', { 'pyproject.toml': app['pyproject.toml'] }],
  ['packages are folders', { ...app, 'uv.lock': app['uv.lock'].replace('registry = "https', 'editable = "libs') }],
  ['more files are read', { 'requirements.txt': '-r more.txt\nsix==1.16.0\n', 'more.txt': 'six==1.16.0\n' }],
  [
    'the install of the project itself may make files among its sources',
    { ...app, 'pyproject.toml': `${app['pyproject.toml']}[build-system]\nbuild-backend = "setuptools.build_meta"\n` },
  ],
])('it is installed each time where %s', (_, files) => {
  expect(keyOf(files)).toBeUndefined();
});
