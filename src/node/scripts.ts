import { UserError } from '../action/errors.ts';
import type { PackageJson } from './manifest.ts';
import type { Task } from '../task/task.ts';
import type { ManagerName } from './package-manager.ts';

/** The scripts that a build runs when it is told nothing else, in the order in which they are reported. */
export const USUAL_SCRIPTS: readonly string[] = ['lint', 'typecheck', 'test', 'build'];

/** What to run: the scripts within a stage at the same time, each stage after the one before has succeeded. */
export interface ScriptPlan {
  readonly stages: readonly (readonly string[])[];
  /** Usual scripts that package.json has not. */
  readonly absent: readonly string[];
}

/**
 * Plans the `named` scripts, or the usual ones that exist: all but `build` only read the sources, so they run side by
 * side; `build` follows alone, so that nothing is built from sources that fail their checks.
 * @throws UserError when a named script is missing in package.json
 */
export function planScripts(project: Pick<PackageJson, 'scripts'>, named: readonly string[] = []): ScriptPlan {
  const scripts = [...new Set(named.length > 0 ? named : USUAL_SCRIPTS)];
  const absent = scripts.filter((script) => !Object.hasOwn(project.scripts, script));
  if (named.length > 0 && absent.length > 0) throw missingScripts(absent, Object.keys(project.scripts));
  const present = scripts.filter((script) => !absent.includes(script));
  const checks = present.filter((script) => script !== 'build');
  const builds = present.filter((script) => script === 'build');
  return { stages: [checks, builds].filter((stage) => stage.length > 0), absent };
}

/** The script as the package manager runs it, with arguments after the script's own. */
export function scriptTask(manager: ManagerName, script: string, more: readonly string[] = []): Task {
  const program = manager === 'yarn-classic' || manager === 'yarn-berry' ? 'yarn' : manager;
  // npm alone would take them for options of its own.
  const dashes = manager === 'npm' && more.length > 0 ? ['--'] : [];
  return { name: script, command: [program, 'run', script, ...dashes, ...more] };
}

function missingScripts(absent: readonly string[], known: readonly string[]): UserError {
  return UserError.all(
    absent.map((script) => ({
      message: `package.json has no script ${JSON.stringify(script)}.`,
      remedy: `Add it to \`scripts\` or take it out of the input \`scripts\`; there are: ${known.join(', ') || 'none'}.`,
      place: { file: 'package.json' },
    })),
    'Scripts are missing',
  );
}
