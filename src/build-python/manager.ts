import { UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { type PythonProject, type PythonTool, detectProject } from '../python/project.ts';

/** Package managers by the name that a user gives. */
export const MANAGERS = ['uv', 'poetry', 'pdm', 'pipenv', 'hatch', 'pip'] as const;
export type Manager = (typeof MANAGERS)[number];

/** Files that make a project one of a tool; pip takes what is left. */
const LOCKFILES: Readonly<Partial<Record<Manager, string>>> = {
  uv: 'uv.lock',
  poetry: 'poetry.lock',
  pdm: 'pdm.lock',
  pipenv: 'Pipfile.lock',
};
const BY_PIP: ReadonlySet<PythonTool> = new Set(['pip', 'pip-tools', 'pylock', 'pep517']);

/**
 * The project, with the chosen manager where its files allow several: those of the others count as absent.
 * @throws UserError when the project is not of the chosen one, or is none
 */
export function chosenProject(read: ReadFile, chosen: Manager | 'auto', parents: number): PythonProject {
  if (chosen === 'auto') return detectProject(read, parents);
  const others = new Set(Object.entries(LOCKFILES).flatMap(([manager, file]) => (manager === chosen ? [] : [file])));
  const project = detectProject((file) => (others.has(file) ? undefined : read(file)), parents);
  if (project.tool === chosen || (chosen === 'pip' && BY_PIP.has(project.tool))) {
    return { ...project, reason: 'the input `package-manager`' };
  }
  throw new UserError(
    `The input package-manager is ${chosen}, but the project is of ${project.tool}: ${project.reason}.`,
    {
      remedy: `Leave the input out${LOCKFILES[chosen] === undefined ? '' : `, or commit ${LOCKFILES[chosen]}`}.`,
    },
  );
}
