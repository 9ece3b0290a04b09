import type { Host } from '../action/host.ts';
import type { Inputs, Spec } from '../action/inputs.ts';
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
  /** The tasks of a stage run at the same time, each stage after the one before has succeeded. */
  readonly stages: readonly (readonly Task[])[];
  /** What runs a task on a developer's machine, such as `npm run`. */
  readonly runner: string;
  readonly image?: ImagePlan;
  /** What is left out and why, a sentence each, for the summary. */
  readonly skipped?: readonly string[];
  /** Where its packages are locked; without it, by the first lockfile of the directory. */
  readonly locked?: Locked;
}

/** A project whose runtime and dependencies are there. */
export interface Ready<O extends string> {
  /** Such as `Node 24.11.0`. */
  readonly runtime: string;
  readonly installSeconds: number;
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
  /** Brings the runtime and installs what the lockfile says. */
  prepare(plan: P, project: Project, host: Host): Promise<Ready<O>>;
  /** Makes what only a project that passed is worth, such as a package. */
  finish?(plan: P, project: Project, host: Host): Promise<Finished<O>>;
  /** Publishes the package where the inputs ask for it. @throws UserError when the registry refuses */
  publish?(given: Inputs<S>, project: Project, host: Host): Promise<Published | undefined>;
  recipe(plan: P, given: Inputs<S>, project: Project, host: Host): Promise<ImageRecipe>;
}
