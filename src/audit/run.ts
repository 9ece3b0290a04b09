import { type Problem, UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { PackageSet } from '../packages/package.ts';
import { type Audit, type Finding, judge, stops } from './audit.ts';
import type { Ignore } from './ignore.ts';
import type { Level } from './levels.ts';
import { askOsv } from './osv.ts';
import type { Severity } from './severity.ts';

/** What came of looking for known vulnerabilities. */
export interface AuditOutcome {
  /** Absent where the database could not be asked. */
  readonly audit?: Audit;
  /** What stops the build. */
  readonly stopping: readonly Finding[];
  /** Why the database could not be asked, where that stops nothing. */
  readonly unknown?: string;
}

/** Where nothing hangs on the answer, a runner that may not reach the database does not wait long for it. */
const BRIEFLY = { timeout: 5000, attempts: 2 };

/**
 * Looks for known vulnerabilities in packages. A database that does not answer stops a build only where a finding could:
 * then nothing may pass unseen, and elsewhere it is a warning.
 * @throws UserError when the database cannot be asked and the level is a gate
 */
export async function auditPackages(
  set: PackageSet,
  { level, ignores }: { readonly level: Exclude<Level, 'off'>; readonly ignores: readonly Ignore[] },
  host: Pick<Host, 'env' | 'clock' | 'signal' | 'log'>,
): Promise<AuditOutcome> {
  try {
    const audit = judge(
      set,
      await askOsv(set.packages, host, level === 'none' ? BRIEFLY : {}),
      ignores,
      host.clock.now(),
    );
    const stopping = level === 'none' ? [] : audit.findings.filter((finding) => stops(finding, level));
    return { audit, stopping };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (level !== 'none') {
      throw new UserError(`audit-level is ${level}, but known vulnerabilities cannot be told: ${error.message}`, {
        remedy: `${error.remedy ?? ''} Set audit-level to none for this run where the release cannot wait.`.trim(),
        cause: error,
      });
    }
    host.log.warning(`known vulnerabilities are not told: ${describe(error)}`);
    return { stopping: [], unknown: error.message };
  }
}

/** What a finding that stops the build asks the team to do. */
export function problemOf(finding: Finding, lockfile: string, level: Severity): Problem {
  const { package: one, id, fixed, path, severity = 'of unknown severity', summary } = finding;
  const [direct = one.name] = path;
  const way = path.length > 1 ? ` (by ${path.join(' > ')})` : '';
  const update =
    path.length > 1 ? `Update ${direct} so that it brings ${one.name} ${fixed}` : `Update ${one.name} to ${fixed}`;
  const mend =
    fixed === undefined ? `No version without it is known: replace ${direct}` : `${update}, and commit the lockfile`;
  return {
    message: `${one.name} ${one.version}${way} has a vulnerability of level ${severity}, at or above ${level}: ${id} ${summary.slice(0, 200)}`,
    remedy: `${mend}; or add a line to audit-ignore: ${id} until <day> <reason>.`,
    place: { file: lockfile },
  };
}
