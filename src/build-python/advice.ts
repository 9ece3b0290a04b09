import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { PythonImagePlan } from '../python-image/plan.ts';
import { adviseOnSize, weighPackages } from '../python-image/weight.ts';

/**
 * What could be better about an image, a sentence each: packages that compile or load libraries of the system, a stack
 * that weighs much, and packages that nothing pins.
 * @param venv environment in which the packages are installed
 */
export async function adviceOn(plan: PythonImagePlan, venv: string): Promise<readonly string[]> {
  const libraries = path.join(venv, 'lib');
  const folders = (await readdir(libraries).catch(() => [])).filter((name) => name.startsWith('python'));
  const weights = await Promise.all(
    folders.map(async (name) => weighPackages(path.join(libraries, name, 'site-packages'))),
  );
  const size = adviseOnSize(weights.flat(), new Set(plan.locked.map(({ name }) => name)));
  const loose = plan.packages && ['hatch', 'pep517'].includes(plan.installer.name);
  return [
    ...(loose
      ? [
          'Nothing pins the packages, so each image may get others: commit a lockfile, such as the one that `uv lock` writes.',
        ]
      : []),
    ...plan.native.reasons.map((reason) => `In the image, ${reason}.`),
    ...(size === undefined || size.total === 0
      ? []
      : [
          `The packages of the image take ${megabytes(size.total)}: ${size.heaviest.map(({ name, bytes }) => `${name} ${megabytes(bytes)}`).join(', ')}.`,
        ]),
    ...(size?.advice ?? []).map((sentence) => `${sentence}.`),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
