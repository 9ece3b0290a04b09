import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildPackage } from '../../src/python/package.ts';
import { type RealProject, withFixture } from './real.ts';

const LIMIT = 180_000;

async function build({ directory, uv, python, host }: RealProject) {
  const out = path.join(directory, 'out');
  await mkdir(out);
  return buildPackage({ directory, uv, python, out }, host);
}

describe('the distributions of a package', () => {
  test(
    'are built, checked and told with their metadata',
    async () => {
      await withFixture('uv', async (real) => {
        const built = await build(real);
        expect(built.map(({ kind, name, version, requiresPython }) => [kind, name, version, requiresPython])).toEqual([
          ['wheel', 'depots', '1.0.0', '>=3.10'],
          ['sdist', 'depots', '1.0.0', '>=3.10'],
        ]);
        const [wheel] = built;
        expect(wheel?.files).toBeGreaterThan(3);
        expect((await readFile(wheel?.file ?? '')).length).toBe(wheel?.size);
      });
    },
    LIMIT,
  );

  test(
    'are refused where the README cannot be shown',
    async () => {
      const readme = { 'README.rst': 'Depots\n======\n\n.. nothing:: here\n\n`broken\n' };
      await withFixture(
        'uv',
        async (real) => {
          const file = path.join(real.directory, 'pyproject.toml');
          await writeFile(file, (await readFile(file, 'utf8')).replace('README.md', 'README.rst'));
          await expect(build(real)).rejects.toMatchObject({
            message: expect.stringContaining('twine check'),
            remedy: expect.stringContaining('README'),
          });
        },
        readme,
      );
    },
    LIMIT,
  );

  test(
    'are refused where the wheel would hold no code',
    async () => {
      await withFixture('pep517', async (real) => {
        const file = path.join(real.directory, 'pyproject.toml');
        const text = (await readFile(file, 'utf8')).replace('packages = ["depots"]', 'packages = []');
        const readme = 'description = "d"\nreadme = { text = "# depots", content-type = "text/markdown" }';
        await writeFile(file, text.replace('[project]', `[project]\n${readme}`));
        await expect(build(real)).rejects.toThrow('The wheel of depots holds no code');
      });
    },
    LIMIT,
  );

  test(
    'are refused where the backend cannot build them',
    async () => {
      await withFixture('uv', async (real) => {
        const file = path.join(real.directory, 'pyproject.toml');
        await writeFile(file, (await readFile(file, 'utf8')).replace('README.md', 'ABSENT.md'));
        await expect(build(real)).rejects.toThrow('`uv build` failed');
      });
    },
    LIMIT,
  );
});
