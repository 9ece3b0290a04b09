import { globSync } from 'node:fs';
import type { PythonProgram } from '../test/lab/python.ts';

/** A linter of workflows; run in the root of the repository, it fails on any finding. */
export interface Linter {
  readonly program: PythonProgram;
  readonly args: readonly string[];
}

/** What lints the workflows, the templates and the action.yml files of the repository at `root`. */
export function workflowLinters(root: string): readonly Linter[] {
  const templates = globSync('workflows/*.yml', { cwd: root }).toSorted();
  const workflows = globSync('.github/workflows/*.yml', { cwd: root }).toSorted();
  const strictest = ['--offline', '--persona', 'auditor', '--no-ignores', '--strict-collection'];
  const quiet = ['--quiet', '--no-progress'];
  return [
    { program: 'actionlint', args: [...workflows, ...templates] },
    {
      program: 'zizmor',
      args: [
        ...strictest,
        ...quiet,
        '--config',
        '.github/zizmor.yml',
        '.github',
        'actions',
        'action.yml',
        ...templates,
      ],
    },
  ];
}
