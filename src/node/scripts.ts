import { UserError } from '../action/errors.ts';
import type { PackageJson } from './manifest.ts';
import type { ManagerName } from './package-manager.ts';

/** The scripts that a build runs when it is told nothing else, in the order in which they are reported. */
export const USUAL_SCRIPTS: readonly string[] = ['lint', 'typecheck', 'test', 'build'];

/** A script of package.json, and the program with arguments that runs it. */
export interface ScriptRun {
  readonly script: string;
  readonly command: readonly [string, ...string[]];
}

/** What to run: the scripts within a stage at the same time, each stage after the one before has succeeded. */
export interface ScriptPlan {
  readonly stages: readonly (readonly ScriptRun[])[];
  /** Wanted scripts that package.json has not. */
  readonly absent: readonly string[];
}

/**
 * Plans the wanted scripts that exist: all but `build` only read the sources, so they run side by side;
 * `build` follows alone, so that nothing is built from sources that fail their checks.
 * @throws UserError when `named` (the user wrote the list) and a script of it is missing in package.json
 */
export function planScripts(
  project: Pick<PackageJson, 'scripts'>,
  manager: ManagerName,
  wanted: readonly string[] = USUAL_SCRIPTS,
  { named = false }: { readonly named?: boolean } = {},
): ScriptPlan {
  const scripts = [...new Set(wanted)];
  const absent = scripts.filter((script) => !Object.hasOwn(project.scripts, script));
  if (named && absent.length > 0) throw missingScripts(absent, Object.keys(project.scripts));
  const present = scripts.filter((script) => !absent.includes(script));
  const checks = present.filter((script) => script !== 'build');
  const builds = present.filter((script) => script === 'build');
  const stages = [checks, builds].filter((stage) => stage.length > 0);
  return {
    stages: stages.map((stage) => stage.map((script) => ({ script, command: commandFor(manager, script) }))),
    absent,
  };
}

function commandFor(manager: ManagerName, script: string): readonly [string, ...string[]] {
  const program = manager === 'yarn-classic' || manager === 'yarn-berry' ? 'yarn' : manager;
  return [program, 'run', script];
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
