import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';

/** The folder that a build made, and how it was found. */
export interface FoundSite {
  /** Relative to the workspace. */
  readonly folder: string;
  /** Such as `Vite`; `''` where the folder was given. */
  readonly tool: string;
}

/** A tool that writes a static site. */
interface Tool {
  readonly name: string;
  /** The package whose presence in package.json tells it. */
  readonly packages: readonly string[];
  /** Its configuration, and what in it names the folder. */
  readonly config?: { readonly files: RegExp; readonly folder: RegExp };
  /** Where it writes unless told otherwise. */
  readonly folder: string;
}

/** In the order in which they are asked: those built upon another stand before it. */
const TOOLS: readonly Tool[] = [
  { name: 'Next.js', packages: ['next'], config: config('next', 'distDir'), folder: 'out' },
  { name: 'Astro', packages: ['astro'], config: config('astro', 'outDir'), folder: 'dist' },
  { name: 'SvelteKit', packages: ['@sveltejs/kit'], config: config('svelte', 'pages'), folder: 'build' },
  { name: 'Docusaurus', packages: ['@docusaurus/core'], folder: 'build' },
  { name: 'Gatsby', packages: ['gatsby'], folder: 'public' },
  { name: 'Angular', packages: ['@angular/core'], folder: 'dist' },
  { name: 'Create React App', packages: ['react-scripts'], folder: 'build' },
  { name: 'Vue CLI', packages: ['@vue/cli-service'], config: config('vue', 'outputDir'), folder: 'dist' },
  { name: 'Vite', packages: ['vite', 'rolldown-vite'], config: config('vite', 'outDir'), folder: 'dist' },
];

function config(name: string, field: string): NonNullable<Tool['config']> {
  return {
    files: new RegExp(`^${name}\\.config\\.[cm]?[jt]s$`),
    folder: new RegExp(`^[^/*]*\\b${field}\\s*:\\s*(['"\`])([^'"\`$]+)\\1`, 'm'),
  };
}

/**
 * Finds the folder to deploy in a project that was built.
 * @param given the input `site`; `''` to look for it
 * @param directory the project, relative to the workspace
 * @throws UserError that names all that was looked for
 */
export async function findSite(workspace: string, directory: string, given: string): Promise<FoundSite> {
  if (given !== '') {
    const folder = path.posix.join(directory, given);
    if (await hasPage(inside(workspace, folder, 'site'))) return { folder, tool: '' };
    throw new UserError(`The folder ${folder} has no page: there is ${await contents(path.join(workspace, folder))}`, {
      remedy: 'Build the site before this step, and let the input site name the folder with index.html.',
    });
  }
  const project = inside(workspace, directory, 'directory');
  const looked: string[] = [];
  for (const tool of await toolsOf(project)) {
    for (const folder of await foldersOf(tool, project)) {
      if (await hasPage(path.join(project, folder))) {
        return { folder: path.posix.join(directory, folder), tool: tool.name };
      }
      looked.push(`${path.posix.join(directory, folder)} (${tool.name})`);
    }
  }
  throw new UserError(
    looked.length > 0
      ? `There is no built site: no index.html in ${looked.join(', ')}`
      : `There is no built site: ${path.posix.join(directory, 'package.json')} names none of ${TOOLS.map(({ name }) => name).join(', ')}`,
    {
      remedy:
        'Run the build before this step (in another job, hand the folder over as an artifact), or set the input site to the folder with index.html.',
    },
  );
}

/** The tools that package.json names; all of them where there is none, as when only the built folder was handed over. */
async function toolsOf(project: string): Promise<readonly Tool[]> {
  const text = await readFile(path.join(project, 'package.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return TOOLS;
  const names = new Set<string>();
  try {
    const { dependencies, devDependencies } = JSON.parse(text) as Record<string, unknown>;
    for (const name of Object.keys({ ...asObject(dependencies), ...asObject(devDependencies) })) names.add(name);
  } catch {
    throw new UserError('package.json is not JSON', { place: { file: 'package.json' } });
  }
  return TOOLS.filter(({ packages }) => packages.some((name) => names.has(name)));
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

async function foldersOf(tool: Tool, project: string): Promise<readonly string[]> {
  if (tool.name === 'Angular') return angularFolders(project);
  const told = tool.config && (await configured(tool.config, project));
  return told === undefined ? [tool.folder] : [told, tool.folder];
}

async function configured(
  { files, folder }: NonNullable<Tool['config']>,
  project: string,
): Promise<string | undefined> {
  const name = (await readdir(project).catch(() => [])).find((file) => files.test(file));
  const text = name === undefined ? '' : await readFile(path.join(project, name), 'utf8');
  const told = folder.exec(text)?.[2];
  if (told === undefined || path.isAbsolute(told) || path.posix.normalize(told).startsWith('..')) return undefined;
  return path.posix.normalize(told);
}

/** Since 17 the pages lie in a folder `browser` of the output path, which names the project. */
async function angularFolders(project: string): Promise<readonly string[]> {
  const text = await readFile(path.join(project, 'angular.json'), 'utf8').catch(() => '');
  const told = [...text.matchAll(/"(?:outputPath|base)"\s*:\s*"([^"]+)"/g)].map(([, folder = '']) => folder);
  const names = await readdir(path.join(project, 'dist')).catch(() => []);
  const folders = [...told, ...names.map((name) => `dist/${name}`), 'dist'];
  const safe = folders.map((folder) => path.posix.normalize(folder)).filter((folder) => !/^(\/|\.\.)/.test(folder));
  return [...new Set(safe.flatMap((folder) => [`${folder}/browser`, folder]))];
}

async function hasPage(folder: string): Promise<boolean> {
  return stat(path.join(folder, 'index.html')).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** @throws UserError when the folder lies outside of the workspace */
function inside(workspace: string, folder: string, input: string): string {
  const whole = path.resolve(workspace, folder);
  if (whole === workspace || whole.startsWith(workspace + path.sep)) return whole;
  throw new UserError(`input ${input} leads out of the repository: ${folder}`, {
    remedy: 'name a folder inside it, relative to its root',
  });
}

async function contents(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return 'no such folder';
  return names.length === 0 ? 'nothing in it' : names.slice(0, 8).join(', ');
}
