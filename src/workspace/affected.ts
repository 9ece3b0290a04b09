import path from 'node:path';
import { type ReadFile, readerOf } from '../project/project.ts';
import type { Host } from '../action/host.ts';
import type { PackageManager } from '../node/package-manager.ts';
import { type Base, baseOf } from './base.ts';
import { orchestratorOf, reachOf, workflowsOf } from './files.ts';
import { type Git, gitIn } from './git.ts';
import type { Workspace } from './graph.ts';
import { changedResolutions, resolutionsOf } from './lockfile.ts';
import { dependentsOf } from './order.ts';

/** Which packages a change reaches, and why each. */
export interface Affected {
  readonly base: Base;
  /** Reasons by folder, as phrases; absent where all are, for the reason in `everything`. */
  readonly packages?: ReadonlyMap<string, string>;
  /** Why nothing may be left out, as a phrase. */
  readonly everything?: string;
}

/** A workspace in its checkout. */
export interface WorkspacePlace {
  readonly workspace: Workspace;
  /** Its folder, absolute. */
  readonly folder: string;
  /** Root of the repository, absolute. */
  readonly repository: string;
  readonly read: ReadFile;
  readonly manager: Pick<PackageManager, 'name' | 'lockfile'>;
}

/** Compares with what was already checked: see {@link baseOf} and {@link reachOf} for the rules. */
export async function findAffected(
  place: WorkspacePlace,
  token: string,
  host: Pick<Host, 'exec' | 'info' | 'clock' | 'signal' | 'mask'>,
): Promise<Affected> {
  const git = gitIn(place.repository, token, host);
  const base = await baseOf(token, git, host);
  if (base.commit === undefined) return { base, everything: base.reason };
  const files = await git.changedSince(base.commit);
  if (files === undefined) return { base, everything: `git cannot compare with ${base.commit.slice(0, 7)}` };
  return { base, ...(await affectedBy(files, base.commit, place, host.info.workflow, git)) };
}

/**
 * The packages that changed files reach, and those that need them.
 * @param files from the root of the repository
 * @param git gives the lockfile as it was
 */
export async function affectedBy(
  files: readonly string[],
  commit: string,
  { workspace, folder, repository, read, manager }: WorkspacePlace,
  workflow: string,
  git: Pick<Git, 'show'>,
): Promise<Omit<Affected, 'base'>> {
  const inside = path.relative(repository, folder).split(path.sep).join('/');
  const lockfile = path.posix.join(inside, manager.lockfile);
  const workflows = workflowsOf(workflow, readerOf(repository));
  const rules = { workspace, folder: inside, workflows, global: orchestratorOf(read)?.global ?? [] };
  const reasons = new Map<string, string>();
  for (const file of files) {
    const reach = file === lockfile ? undefined : reachOf(file, rules);
    if (reach?.kind === 'all') return { everything: `\`${file}\` changed, which any package may depend on` };
    if (reach?.kind === 'package' && !reasons.has(reach.folder)) reasons.set(reach.folder, `\`${file}\` changed`);
  }
  if (files.includes(lockfile)) {
    const before = resolutionsOf(manager.name, (await git.show(commit, lockfile)) ?? '');
    const changed = changedResolutions(before, resolutionsOf(manager.name, read(manager.lockfile) ?? ''));
    if (changed === undefined) return { everything: `\`${lockfile}\` changed, and it does not tell for whom` };
    if (changed.has('')) return { everything: `\`${lockfile}\` gives the root of the workspace other dependencies` };
    for (const one of changed) {
      if (workspace.packages.has(one) && !reasons.has(one))
        reasons.set(one, `\`${lockfile}\` gives it other dependencies`);
    }
  }
  for (const one of dependentsOf(workspace, reasons.keys())) {
    if (reasons.has(one)) continue;
    const needed = [...(workspace.packages.get(one)?.needs.keys() ?? [])].find((other) => reasons.has(other));
    reasons.set(one, `it needs \`${needed ?? ''}\``);
  }
  return { packages: reasons };
}
