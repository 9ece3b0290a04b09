import { type Finding, type Risk, riskOf } from '../migration/finding.ts';
import type { Migration } from '../migration/migration.ts';
import type { Rehearsal } from '../rehearsal/rehearsal.ts';
import { splitScript } from '../sql/split.ts';
import { type Placed, isAbout } from './about.ts';

/** When a migration belongs: before the deploy, as old code works with it, or after it, as only new code does. */
export type Phase = 'expand' | 'contract';

/** A migration with the phase that its statements ask for. */
export interface Phased {
  readonly migration: Migration;
  /** `mixed` where some of its statements belong before the deploy and some after it. */
  readonly phase: Phase | 'mixed';
}

/**
 * The phase of each migration by its findings: what breaks the running version belongs after the deploy. A finding that
 * somebody allowed says that it does not break it.
 * @param statements of each migration, by its id, as far as they are known
 */
export function phasesOf(
  migrations: readonly Migration[],
  findings: readonly Finding[],
  statements: ReadonlyMap<string, readonly Placed[]>,
): readonly Phased[] {
  return migrations.map((migration) => {
    const breaking = breakingOf(migration, findings);
    if (breaking.length === 0) return { migration, phase: 'expand' };
    const doing = (statements.get(migration.id) ?? []).filter(({ sql }) => !isSetting(sql));
    const isMixed = doing.some((one) => !breaking.some((finding) => isAbout(finding, one)));
    return { migration, phase: isMixed ? 'mixed' : 'contract' };
  });
}

function breakingOf({ file }: Migration, findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(
    ({ phase, allowed, place }) => phase === 'contract' && allowed === undefined && place.file === file,
  );
}

/** The statements of migrations: of their scripts, or as a server got them from their tool. */
export function statementsOf(
  migrations: readonly Migration[],
  rehearsal: Rehearsal | undefined,
): ReadonlyMap<string, readonly Placed[]> {
  const heard = new Map(rehearsal?.migrations.map((one) => [one.migration.id, one.statements]));
  return new Map(
    migrations.map(({ id, file, up }): readonly [string, readonly Placed[]] => {
      if (up === undefined) return [id, heard.get(id) ?? []];
      const all = splitScript(up.sql, up.firstLine).statements;
      return [id, all.map(({ sql, line, column, endLine }) => ({ sql, place: { file, line, column, endLine } }))];
    }),
  );
}

/**
 * The migrations that a phase applies. Order is sacred: `expand` ends before the first one that belongs after the
 * deploy, whatever follows it, and says what it left.
 */
export function selectPhase(
  phased: readonly Phased[],
  wanted: Phase | 'all',
): { readonly apply: readonly Migration[]; readonly leave: readonly Migration[] } {
  const all = phased.map(({ migration }) => migration);
  if (wanted !== 'expand') return { apply: all, leave: [] };
  const first = phased.findIndex(({ phase }) => phase !== 'expand');
  return first === -1 ? { apply: all, leave: [] } : { apply: all.slice(0, first), leave: all.slice(first) };
}

/** Only the version before the deploy minds these: once it is gone they cost a look and no more. */
const MINDED_BEFORE: ReadonlySet<string> = new Set([
  'column-not-null-without-default',
  'not-null-breaks-writers',
  'constraint-dropped',
  'default-dropped',
]);

/**
 * The risk of applying what a phase applies. What it leaves is no part of it, and after the deploy nothing runs any more
 * that minds what only the old version minded.
 */
export function riskIn(findings: readonly Finding[], phased: readonly Phased[], wanted: Phase | 'all'): Risk {
  const left = new Set(selectPhase(phased, wanted).leave.map(({ file }) => file));
  const counting = findings.filter(({ place }) => !left.has(place.file));
  if (wanted !== 'contract') return riskOf(counting);
  return riskOf(counting.map((one) => (MINDED_BEFORE.has(one.code) ? { ...one, severity: 'warning' } : one)));
}

/** A migration that mixes both phases, with the split written out. */
export function mixedFinding(
  migration: Migration,
  findings: readonly Finding[],
  statements: readonly Placed[],
): Finding {
  const breaking = breakingOf(migration, findings);
  const [before, after] = [false, true].map((breaks) =>
    statements
      .filter((one) => isSetting(one.sql) || breaking.some((finding) => isAbout(finding, one)) === breaks)
      .map(({ sql }) => `${sql.replace(/;?\s*$/, '')};`),
  );
  const known = statements.length > 0;
  return {
    code: 'phases-mixed',
    severity: 'warning',
    place: { file: migration.file, line: 1 },
    message: `${migration.name} changes what the running version uses, and more`,
    why: 'It can run neither before the deploy, as the old version would break, nor after it, if the new version needs the rest of it.',
    remedy: 'Make two migrations of it: the first goes before the deploy, the second after it.',
    ...(known && {
      rewrite: [
        '-- 1. before the deploy',
        ...(before ?? []),
        '',
        '-- 2. in a migration of its own, after the deploy',
        ...(after ?? []),
      ].join('\n'),
    }),
    source: 'tool',
  };
}

/** Whether a statement changes nothing by itself, and so belongs to both phases. */
function isSetting(sql: string): boolean {
  return /^\s*(set|reset|begin|start\s+transaction|commit|end|select\s+(pg_catalog\.)?set_config)\b/i.test(sql);
}
