import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { normalName } from '../python/names.ts';

/** What an installed package takes up. */
export interface Weight {
  readonly name: string;
  readonly bytes: number;
}

/** A stack that a container should not carry as it is, and what to do. */
export interface SizeAdvice {
  /** Bytes of all packages of the image. */
  readonly total: number;
  /** The heaviest first. */
  readonly heaviest: readonly Weight[];
  /** Sentences. */
  readonly advice: readonly string[];
}

/** About the base image's own size: more than that is what a node waits for when it pulls. */
const HEAVY = 150e6;
const SHOWN = 6;

const DEVELOPMENT = new Set([
  'pytest',
  'mypy',
  'ruff',
  'black',
  'jupyter',
  'notebook',
  'jupyterlab',
  'ipython',
  'pylint',
  'tox',
  'nox',
]);
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:nvidia-|triton$)/,
    "torch brings CUDA's libraries, which a container without a GPU never loads: lock torch from PyTorch's own index of CPU wheels",
  ],
  [/^tensorflow$/, 'tensorflow has a variant without CUDA: tensorflow-cpu'],
  [/^opencv-(?:contrib-)?python$/, 'opencv-python draws windows: opencv-python-headless does without them'],
  [/^pyspark$/, 'pyspark brings all of Spark: a client of Spark Connect is a tenth of it'],
];

/** The weights of installed packages, by the sizes that their RECORD states; those without one count nothing. */
export async function weighPackages(sitePackages: string): Promise<readonly Weight[]> {
  const folders = await readdir(sitePackages).catch(() => []);
  const infos = folders.filter((name) => name.endsWith('.dist-info'));
  return Promise.all(
    infos.map(async (info) => {
      const record = await readFile(path.join(sitePackages, info, 'RECORD'), 'utf8').catch(() => '');
      const bytes = record.split('\n').reduce((sum, line) => sum + Number(/,(\d+)\s*$/.exec(line)?.[1] ?? 0), 0);
      return { name: normalName(info.replace(/-[^-]*\.dist-info$/, '')), bytes };
    }),
  );
}

/**
 * What to change about a stack that makes an image large.
 * @param weights of all that is installed, development packages too
 * @param production names of the packages that the image gets
 * @returns undefined where there is nothing to say
 */
export function adviseOnSize(weights: readonly Weight[], production: ReadonlySet<string>): SizeAdvice | undefined {
  const own = weights.filter(({ name }) => production.has(name)).toSorted((a, b) => b.bytes - a.bytes);
  const total = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const names = [...production];
  const strays = names.filter((name) => DEVELOPMENT.has(name));
  const advice = [
    ...REMEDIES.filter(([pattern]) => names.some((name) => pattern.test(name))).map(([, sentence]) => sentence),
    ...(strays.length > 0
      ? [`${strays.join(', ')}: only development needs it, so it belongs into a group for that`]
      : []),
  ];
  if (total < HEAVY && advice.length === 0) return undefined;
  return { total, heaviest: own.slice(0, SHOWN), advice };
}
