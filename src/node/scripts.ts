import { UserError } from '../action/errors.ts';
import type { PackageJson } from './manifest.ts';
import type { Task } from '../task/task.ts';
import type { ManagerName } from './package-manager.ts';
import { orderScripts } from './script-order.ts';

/** The scripts that a build runs when it is told nothing else, in the order in which they are reported. */
export const USUAL_SCRIPTS: readonly string[] = ['lint', 'typecheck', 'test', 'build'];

/** What to run. */
export interface ScriptPlan {
  /** Each script with those that must have passed before. */
  readonly order: ReadonlyMap<string, readonly string[]>;
  /** Usual scripts that package.json has not. */
  readonly absent: readonly string[];
}

const CHECKS = /^(?:lint|typecheck|type-check|types|tsc|format|fmt|check|test|tests|spec|unit|e2e|coverage)(?:$|[:-])/;

/**
 * Plans the `named` scripts, or the usual ones that exist.
 * @throws UserError when a named script is missing in package.json
 */
export function planScripts(project: Pick<PackageJson, 'scripts'>, named: readonly string[] = []): ScriptPlan {
  const scripts = [...new Set(named.length > 0 ? named : USUAL_SCRIPTS)];
  const absent = scripts.filter((script) => !Object.hasOwn(project.scripts, script));
  if (named.length > 0 && absent.length > 0) throw missingScripts(absent, Object.keys(project.scripts));
  const present = scripts.filter((script) => !absent.includes(script));
  return { order: orderScripts(present, project.scripts), absent };
}

/** The order in words, such as `lint and test, then build`. */
export function showOrder(order: ScriptPlan['order']): string {
  const names = [...order.keys()];
  const later = names.filter((name) => (order.get(name) ?? []).length > 0);
  const first = names.filter((name) => !later.includes(name));
  const waits = later.map((name) => `${name} after ${(order.get(name) ?? []).join(' and ')}`);
  return [first.join(' and '), ...waits].filter((part) => part !== '').join(', ');
}

/** Whether a script, by its name, only looks at the sources: what it leaves behind nobody needs. */
export function leavesNothing(script: string): boolean {
  return CHECKS.test(script);
}

/** The script as the package manager runs it, with arguments after the script's own. */
export function scriptTask(manager: ManagerName, script: string, more: readonly string[] = []): Task {
  const program = manager === 'yarn-classic' || manager === 'yarn-berry' ? 'yarn' : manager;
  // npm alone would take them for options of its own.
  const dashes = manager === 'npm' && more.length > 0 ? ['--'] : [];
  return { name: script, command: [program, 'run', script, ...dashes, ...more], leavesNothing: leavesNothing(script) };
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
