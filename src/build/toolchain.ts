import type { Host } from '../action/host.ts';
import type { Inputs, Spec } from '../action/inputs.ts';
import type { DependencyTree, Installed } from '../cache/dependencies.ts';
import type { ImagePlan } from '../image/plan.ts';
import type { ImageRecipe } from '../image/recipe.ts';
import type { Ecosystem } from '../packages/package.ts';
import type { Locked } from '../packages/read.ts';
import type { Project } from '../project/project.ts';
import type { Published } from '../publish/published.ts';
import type { Task } from '../task/task.ts';
import type { buildInputs } from './inputs.ts';

/** What every language decides before anything runs. */
export interface BuildPlan {
  /** What the project calls itself. */
  readonly name?: string;
  /** Decisions and their reasons, a sentence each. */
  readonly decisions: readonly string[];
  /** What is run once the dependencies are there. */
  readonly tasks: readonly Task[];
  /** What runs a task on a developer's machine, such as `npm run`. */
  readonly runner: string;
  readonly image?: ImagePlan;
  /** What is left out and why, a sentence each, for the summary. */
  readonly skipped?: readonly string[];
  /** Where its packages are locked; without it, by the first lockfile of the directory. */
  readonly locked?: Locked;
}

/** A runtime of a project. */
export interface Runtime<O extends string> {
  /** With its exact version, such as `Node 24.11.0`. */
  readonly runtime: string;
  /** The outputs that only this language has. */
  readonly outputs: Partial<Record<O, string>>;
  /** What could be better, a sentence each, for the summary. */
  readonly advice?: readonly string[];
}

/** What a language makes of a project whose tasks have passed. */
export interface Finished<O extends string> {
  readonly outputs: Partial<Record<O, string>>;
  /** What was made, a sentence each. */
  readonly made: readonly string[];
}

/** A project whose runtime and dependencies are there. */
export interface Ready<O extends string> extends Runtime<O> {
  readonly installSeconds: number;
  /** `true` where nothing was installed, as the cache had all. */
  readonly restored?: boolean;
}

/**
 * Brings dependencies out of the cache, or by the install, which gives the seconds that it took; `folder` is the one
 * that it runs in, absolute.
 */
export type BringDependencies = (
  tree: DependencyTree | undefined,
  folder: string,
  install: () => Promise<number>,
) => Promise<Installed>;

/** What a language brings to the one story of all build actions, which build.ts tells. */
export interface Toolchain<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string> {
  /** Name of the action. */
  readonly name: string;
  readonly inputs: S;
  /** Where its packages come from. */
  readonly ecosystem: Ecosystem;
  /** Outputs besides those that all build actions have. */
  readonly outputs: readonly O[];
  /**
   * Decides everything out of the inputs and the project's files, and changes nothing.
   * @throws UserError with all problems of both at once
   */
  plan(given: Inputs<S>, project: Project, env: Host['env']): P;
  /** Puts in what only git or the network tells, such as which version `lts/*` is today, or what did not change. */
  settle?(plan: P, given: Inputs<S>, project: Project, host: Host): Promise<P>;
  /** Folders that the install makes, such as `node_modules`: the lockfile decides them, so they are no sources. */
  readonly installed: readonly string[];
  /** The runtime that the project gets, where that is known without bringing it. */
  runtime(plan: P, host: Host): Promise<Runtime<O> | undefined>;
  /** Brings the runtime and, by `bring`, what the lockfile says. */
  prepare(plan: P, project: Project, host: Host, bring: BringDependencies): Promise<Ready<O>>;
  /** Whether more is wanted than the image, so that the project has to be built here whatever is known of it. */
  needsFiles?(given: Inputs<S>): boolean;
  /** Makes what only a project that passed is worth, such as a package. */
  finish?(plan: P, project: Project, host: Host): Promise<Finished<O>>;
  /** Publishes the package where the inputs ask for it. @throws UserError when the registry refuses */
  publish?(given: Inputs<S>, project: Project, host: Host, plan: P): Promise<Published | undefined>;
  recipe(plan: P, given: Inputs<S>, project: Project, host: Host): Promise<ImageRecipe>;
}
