import { UserError } from '../action/errors.ts';
import type { ManagerName } from '../node/package-manager.ts';
import { USUAL_SCRIPTS, planScripts, scriptTask } from '../node/scripts.ts';
import type { Task } from '../task/task.ts';
import type { Affected } from './affected.ts';
import type { Orchestrator } from './files.ts';
import type { Workspace } from './graph.ts';
import { rootScript } from './root-script.ts';
import { packageTasks } from './tasks.ts';

const MAX_NAMED = 20;

/** What a workspace's scripts are planned from. */
export interface ScriptWish {
  readonly workspace: Workspace;
  /** Folder of the workspace, absolute. */
  readonly folder: string;
  /** The package that is built, from that folder; `''` for the root. */
  readonly inside: string;
  readonly manager: ManagerName;
  /** Named by the user; the usual ones where there are none. */
  readonly named: readonly string[];
  /** Absent where nothing is to be left out. */
  readonly affected?: Affected;
  readonly orchestrator?: Orchestrator;
  /** An image is made of what the scripts build here, so no `build` may be left out. */
  readonly keepBuilds?: boolean;
}

/** Tasks with what each waits for, and sentences about them. */
export interface WorkspaceScripts {
  readonly tasks: readonly Task[];
  readonly decisions: readonly string[];
  /** What was left out and why, for the summary. */
  readonly skipped: readonly string[];
}

/**
 * Plans the scripts of a workspace. In a package's folder they are the package's own. At the root they are the root's
 * where it has any, else those of each package. `affected` only ever leaves out: a script of the root that goes over
 * packages is replaced by, or told, those that count; any other runs as it is.
 * @throws UserError when a named script is in no package
 */
export function planWorkspaceScripts(wish: ScriptWish): WorkspaceScripts {
  const { workspace, inside, affected } = wish;
  const scripts = [...new Set(wish.named.length > 0 ? wish.named : USUAL_SCRIPTS)];
  const counting = new Set(affected?.packages?.keys() ?? workspace.packages.keys());
  const planned = inside === '' ? ofRoot(wish, scripts, counting) : ofPackage(wish, scripts, counting);
  const { orchestrator } = wish;
  const decisions = [
    `workspace: ${count(workspace.packages.size, 'package')}, by ${workspace.declaredIn}`,
    ...(orchestrator === undefined ? [] : [`${orchestrator.name}: ${orchestrator.file} is there; ${BESIDE}`]),
    ...(affected === undefined ? [] : reasonsOf(affected, workspace)),
  ];
  return { ...planned, decisions: [...decisions, ...planned.decisions], skipped: skippedOf(wish, counting) };
}

const WHOLE = { kind: 'whole' } as const;
const BESIDE =
  'a script of the root that calls it runs by it; the scripts of packages run in the order of who needs whom';

function ofPackage(wish: ScriptWish, scripts: readonly string[], counting: ReadonlySet<string>) {
  const { workspace, inside } = wish;
  const manifest = workspace.packages.get(inside)?.manifest ?? { scripts: {} };
  // Says which named script is missing, and what there is.
  const { absent } = planScripts(manifest, wish.named);
  if (counting.has(inside)) return ofPackages(wish, scripts, new Set([inside]), { absent });
  if (wish.keepBuilds === true && scripts.includes('build')) {
    return ofPackages(wish, scripts, new Set(), { anyway: new Set([inside]) });
  }
  return { tasks: [], decisions: ['scripts: none, as the package did not change'] };
}

function ofRoot(wish: ScriptWish, wanted: readonly string[], counting: ReadonlySet<string>) {
  const { workspace, affected, folder, manager } = wish;
  const own = workspace.root.manifest.scripts;
  const keeps = wish.keepBuilds === true && wanted.includes('build');
  const nothing = affected !== undefined && counting.size === 0;
  const scripts = nothing ? wanted.filter((one) => one === 'build' && keeps) : wanted;
  if (scripts.length === 0) return { tasks: [], decisions: ['scripts: none, as no package changed'] };
  const [mine, others] = [
    scripts.filter((one) => Object.hasOwn(own, one)),
    scripts.filter((one) => !Object.hasOwn(own, one)),
  ];
  const known = (script: string): boolean =>
    [...workspace.packages.values()].some(({ manifest }) => Object.hasOwn(manifest.scripts, script));
  const missing = wish.named.filter((script) => !Object.hasOwn(own, script) && !known(script));
  if (missing.length > 0) throw missingScripts(missing);
  const fates = new Map(
    mine.map((one) => [
      one,
      affected === undefined ? undefined : one === 'build' && keeps ? WHOLE : rootScript(own[one] ?? '', affected),
    ]),
  );
  // As named, or where the root has nothing to say.
  const asked = wish.named.length > 0 || mine.length === 0;
  const byPackages = [
    ...mine.filter((one) => fates.get(one)?.kind === 'packages' && affected?.packages !== undefined),
    ...(asked ? others : []),
  ];
  const checks = mine.filter((one) => !byPackages.includes(one) && one !== 'build');
  const tasks = mine
    .filter((one) => !byPackages.includes(one))
    .map((script): Task => {
      const fate = fates.get(script);
      const task = scriptTask(manager, script, fate?.kind === 'narrowed' ? fate.arguments : []);
      // As for any project: nothing is built from sources that fail their checks.
      return { ...task, cwd: folder, ...(script === 'build' && checks.length > 0 && { after: checks }) };
    });
  const planned = ofPackages(
    wish,
    scripts.filter((one) => byPackages.includes(one)),
    counting,
    keeps && byPackages.includes('build') ? { anyway: new Set(workspace.packages.keys()) } : {},
  );
  const narrowed = mine.filter((one) => fates.get(one)?.kind === 'narrowed');
  const whole = mine.filter((one) => fates.get(one)?.kind === 'whole' && affected?.packages !== undefined);
  const decisions = [
    ...(tasks.length > 0 ? [`scripts of the root: ${tasks.map(({ name }) => name).join(', ')}`] : []),
    ...(narrowed.length > 0 ? [`${narrowed.join(', ')} of the root: told which packages count`] : []),
    ...(whole.length > 0 ? [`${whole.join(', ')} of the root: whole, as it is not known to go over packages`] : []),
    ...(byPackages.length > 0 ? planned.decisions : []),
    ...(asked
      ? []
      : others
          .filter(known)
          .map(
            (one) =>
              `${one}: not run, as the root has other scripts, but not this one; the input \`scripts\` runs it in each package`,
          )),
  ];
  return { tasks: [...tasks, ...planned.tasks], decisions };
}

function ofPackages(
  { workspace, folder, manager }: ScriptWish,
  scripts: readonly string[],
  selected: ReadonlySet<string>,
  { absent = [], anyway }: { readonly absent?: readonly string[]; readonly anyway?: ReadonlySet<string> } = {},
) {
  const command = (script: string): Task['command'] => scriptTask(manager, script).command;
  const { tasks, builtOnly, order, cycles } = packageTasks(workspace, {
    folder,
    selected,
    scripts,
    command,
    ...(anyway && { anyway }),
  });
  const ran = order.filter((one) => tasks.some(({ name }) => name.startsWith(`${one}: `)));
  const none = absent.length > 0 ? `; package.json has no ${absent.join(', ')}` : '';
  return {
    tasks,
    decisions: [
      `scripts: ${scripts.filter((one) => tasks.some(({ name }) => name.endsWith(`: ${one}`))).join(', ') || 'none'}${none}`,
      ...(ran.length > 1 ? [`order of the packages: ${named(ran)}`] : []),
      ...(builtOnly.length > 0 ? [`only built, as others or the image need them: ${named(builtOnly)}`] : []),
      ...cycles.map(([one, other]) => `\`${one}\` and \`${other}\` need each other: \`${one}\` is built first`),
    ],
  };
}

function reasonsOf({ base, packages, everything }: Affected, workspace: Workspace): readonly string[] {
  if (packages === undefined) return [`affected: everything, because ${everything ?? base.reason}`];
  const commit = base.commit?.slice(0, 7) ?? '';
  const shown = [...packages].slice(0, MAX_NAMED).map(([folder, why]) => `\`${folder}\` counts: ${why}`);
  return [
    `affected: ${packages.size} of ${count(workspace.packages.size, 'package')}, compared with ${commit}, ${base.reason}`,
    ...shown,
    ...(packages.size > shown.length ? [`and ${packages.size - shown.length} more`] : []),
  ];
}

function skippedOf({ workspace, inside, affected }: ScriptWish, counting: ReadonlySet<string>): readonly string[] {
  if (affected === undefined) return [];
  const { base, packages, everything } = affected;
  if (packages === undefined) return [`Nothing was skipped, because ${everything ?? base.reason}.`];
  const since = `changed since ${base.commit?.slice(0, 7) ?? ''}, ${base.reason}`;
  const left = [...workspace.packages.keys()].filter((folder) => !counting.has(folder));
  if (inside !== '') {
    const skipped = `Skipped the scripts of \`${inside}\`: neither it nor what it needs ${since}.`;
    return [left.includes(inside) ? skipped : `Nothing was skipped: \`${inside}\` or what it needs ${since}.`];
  }
  if (left.length === 0) return [`Nothing was skipped: every package, or what it needs, ${since}.`];
  const of = `${left.length} of ${count(workspace.packages.size, 'package')}`;
  return [`Skipped ${of}: neither they nor what they need ${since}: ${named(left)}.`];
}

function named(folders: readonly string[]): string {
  const shown = folders.slice(0, MAX_NAMED).map((folder) => `\`${folder}\``);
  return `${shown.join(', ')}${folders.length > shown.length ? ` and ${folders.length - shown.length} more` : ''}`;
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}

function missingScripts(scripts: readonly string[]): UserError {
  return UserError.all(
    scripts.map((script) => ({
      message: `Neither the root of the workspace nor any of its packages has a script ${JSON.stringify(script)}.`,
      remedy: 'Add it to `scripts` of a package.json, or take it out of the input `scripts`.',
      place: { file: 'package.json' },
    })),
    'Scripts are missing',
  );
}
