import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { productionPackages } from '../../src/python-image/locked.ts';
import { nativeNeeds, wheelFits } from '../../src/python-image/native.ts';
import { adviseOnSize, weighPackages } from '../../src/python-image/weight.ts';
import type { PythonTool } from '../../src/python/project.ts';
import { tree } from './projects.ts';

const names = (name: PythonTool, lockfile: string, text: string, more = {}) =>
  productionPackages(tree({ [lockfile]: text, ...more }), { name, lockfile }).map((one) => one.name);

test.each<[PythonTool, string, string, readonly string[]]>([
  [
    'uv',
    'uv.lock',
    `[[package]]
name = "shop"
source = { editable = "." }
dependencies = [{ name = "a", extra = ["fast"] }, { name = "loop" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "a"
dependencies = [{ name = "b" }]
[package.optional-dependencies]
fast = [{ name = "c" }]
slow = [{ name = "d" }]
[[package]]
name = "b"
[[package]]
name = "c"
[[package]]
name = "d"
[[package]]
name = "loop"
dependencies = [{ name = "loop" }, { name = "a" }]
[[package]]
name = "pytest"`,
    ['a', 'b', 'c', 'loop'],
  ],
  [
    'poetry',
    'poetry.lock',
    '[[package]]\nname = "A_b"\ngroups = ["main"]\n[[package]]\nname = "pytest"\ngroups = ["dev"]',
    ['a-b'],
  ],
  [
    'poetry',
    'poetry.lock',
    '[[package]]\nname = "a"\ncategory = "main"\n[[package]]\nname = "b"\ncategory = "dev"',
    ['a'],
  ],
  [
    'pdm',
    'pdm.lock',
    '[[package]]\nname = "a"\ngroups = ["default"]\n[[package]]\nname = "b"\ngroups = ["test"]',
    ['a'],
  ],
  ['pipenv', 'Pipfile.lock', '{"default": {"A.b": {}}, "develop": {"c": {}}}', ['a-b']],
  [
    'pip',
    'requirements.txt',
    '# c\n-i x\nA[x]==1 \\\n  --hash=sha256:a\n./local\nb ; python_version > "3"\n',
    ['a', 'a-x', 'b'],
  ],
  ['pylock', 'pylock.toml', '[[packages]]\nname = "a"', ['a']],
])('the packages that an image gets by %s: %s', (name, lockfile, text, expected) => {
  expect(names(name, lockfile, text)).toEqual(expected);
});

test('requirements files that include each other are read once', () => {
  expect(names('pip', 'requirements.txt', '-r base.txt\na', { 'base.txt': '-r requirements.txt\nb' })).toEqual([
    'b',
    'a',
  ]);
});

test.each([
  ['a-1-py3-none-any.whl', '3.11', true],
  ['a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', '3.11', true],
  ['a-1-cp311-cp311-manylinux_2_17_x86_64.whl', '3.12', false],
  ['a-1-cp39-abi3-manylinux_2_17_x86_64.whl', '3.12', true],
  ['a-1-cp313-abi3-manylinux_2_17_x86_64.whl', '3.12', false],
  ['a-1-cp313-cp313t-manylinux_2_17_x86_64.whl', '3.13', false],
  ['a-1-cp311-cp311-macosx_11_0_arm64.whl', '3.11', false],
  ['a-1-cp311-cp311-musllinux_1_2_x86_64.whl', '3.11', false],
  ['a-1-py2.py3-none-any.whl', '3.11', true],
])('whether the wheel %s fits Python %s: %s', (wheel, python, fits) => {
  expect(wheelFits(wheel, python)).toBe(fits);
});

test('a compiler is brought for what always needs one, and for what has no wheel for this Python', () => {
  const wheels = ['lxml-6-cp311-cp311-manylinux_2_17_x86_64.whl'];
  const packages = [{ name: 'lxml', wheels }, { name: 'psycopg' }, { name: 'psycopg-binary' }];
  expect(nativeNeeds(packages, '3.11')).toEqual({ build: [], run: [], reasons: [] });
  const newer = nativeNeeds([...packages, { name: 'mysqlclient' }], '3.15');
  expect(newer.build).toEqual(expect.arrayContaining(['gcc', 'libxml2-dev', 'default-libmysqlclient-dev']));
  expect(newer.run).toEqual(['libmariadb3', 'libxml2', 'libxslt1.1']);
  expect(newer.reasons).toEqual([
    'lxml is compiled, as no wheel fits Python 3.15 on Linux, and loads libxml2, libxslt1.1',
    'mysqlclient is compiled and loads libmariadb3; PyMySQL needs none of that',
  ]);
});

test('weights come from what packages say of their files; development packages do not count', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weight-'));
  try {
    const install = (name: string, megabytes: number): void => {
      mkdirSync(path.join(folder, `${name}-1.0.dist-info`));
      const record = `a.so,sha256=x,${megabytes * 1024 ** 2 - 100}\n"b,c.py",sha256=y,100\nRECORD,,\n`;
      writeFileSync(path.join(folder, `${name}-1.0.dist-info`, 'RECORD'), record);
    };
    install('ortools', 120);
    install('Some_Pandas', 150);
    install('mypy', 900);
    const weights = await weighPackages(folder);
    const advice = adviseOnSize(weights, new Set(['ortools', 'some-pandas']));
    expect(advice).toMatchObject({ total: 270 * 1024 ** 2, advice: [] });
    expect(advice?.heaviest.map(({ name }) => name)).toEqual(['some-pandas', 'ortools']);
    expect(adviseOnSize(weights, new Set(['ortools']))).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what can be done about a stack is said, even where its weight is not known yet', () => {
  const advice = adviseOnSize([], new Set(['torch', 'nvidia-cublas-cu12', 'opencv-python', 'pytest']));
  expect(advice?.advice).toEqual([
    expect.stringContaining("PyTorch's own index of CPU wheels"),
    expect.stringContaining('opencv-python-headless'),
    expect.stringContaining('pytest: only development needs it'),
  ]);
});
