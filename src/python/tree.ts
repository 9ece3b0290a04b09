import path from 'node:path';
import type { DependencyTree } from '../cache/dependencies.ts';
import type { ReadFile } from '../project/project.ts';
import { planInstall } from './install-plan.ts';
import type { PythonProject } from './project.ts';
import type { Program } from './uv.ts';

/** Build backends that install a project by a link to its sources alone, and compile or generate nothing. */
const LINKED = /^(?:uv_build|flit_core\.)/;
/** Packages that are folders of the checkout, and files that are read besides. */
const ELSEWHERE =
  /file:|^(?:-e|-r|-c|--editable|--requirement|--constraint)\b|^\.{1,2}\/|\b(?:path|editable|directory)\s*=/m;
const FILES = ['pyproject.toml', 'Pipfile', 'setup.cfg', 'uv.toml', 'poetry.toml', 'pdm.toml'];

/**
 * The environment as the install leaves it; undefined where its files are not all that there is to it: no lockfile holds
 * the versions, the project's own install may make files among its sources, or packages are folders of the checkout.
 * @param directory folder of the project, absolute: an environment names its own place
 */
export function environmentTree(
  project: PythonProject,
  directory: string,
  { python, uv }: { readonly python: Program; readonly uv: Program },
  read: ReadFile,
): DependencyTree | undefined {
  const { lockfile, kind, backend = '', tool, workspace } = project;
  if (lockfile === undefined || workspace !== undefined) return undefined;
  if (kind === 'package' && !LINKED.test(backend)) return undefined;
  const files = [...(project.requirements?.run.files ?? []), ...(project.requirements?.dev?.files ?? [])];
  const texts = [lockfile, ...files, ...FILES].map((file) => read(file) ?? '');
  if (texts.some((text) => ELSEWHERE.test(text))) return undefined;
  const root = path.resolve(directory, project.root);
  return {
    folder: '.venv',
    everywhere: false,
    runtime: [python.path, python.version, uv.version, tool, root],
    content: [...texts, JSON.stringify(planInstall(project, directory, python.path).steps)],
    reconciles: false,
  };
}
