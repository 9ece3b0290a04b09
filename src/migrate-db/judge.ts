import { type Finding, LOCK_MODES, type LockMode, blockedBy } from '../migration/finding.ts';
import { isSmall } from '../postgres/sizes.ts';
import { isAbout } from './about.ts';
import { byUrgency } from '../sql-lint/order.ts';
import type { ObservedStatement, Rehearsal, RehearsedMigration, TableSize } from '../rehearsal/rehearsal.ts';

/** Hazards of which a server shows whether they are there: it writes a file anew, or reads a table under a lock. */
const SEEN_AS_REWRITE =
  /rewrites|^column-(volatile-default|generated|serial|constrained-domain)$|^(vacuum-full|cluster)$/;
const SEEN_AS_SCAN = /-scans$|^set-not-null-scans$/;
/** Statements that a server refuses, if they are what they look like. */
const SEEN_AS_FAILURE = /^(syntax-error|concurrently-in-transaction|cannot-run-in-transaction|enum-value-used)$/;

/**
 * What holds in the end: a server that ran the statements knows better than their text. Where it saw less than the
 * linter feared, the finding stays as a notice that says so; where it saw more, there is one more finding.
 */
export function judge(
  lint: readonly Finding[],
  rehearsal: Rehearsal | undefined,
  sizes: ReadonlyMap<string, TableSize>,
): readonly Finding[] {
  if (rehearsal === undefined) return lint;
  const all = rehearsal.migrations.flatMap((one) => heldLocks(one));
  const server = `PostgreSQL ${Math.floor(rehearsal.server.version / 10_000)}`;
  const judged = lint.map((finding) => overruled(finding, statementAt(finding, all), server));
  const isSaid = ({ severity, allowed }: Finding): boolean => severity === 'error' || allowed !== undefined;
  const told = new Set(judged.filter(isSaid).map((finding) => statementAt(finding, all)));
  const missed = all.filter((one) => !told.has(one)).flatMap((one) => slowUnderLock(one, sizes) ?? []);
  return byUrgency([
    ...judged,
    ...missed,
    ...rehearsal.migrations.flatMap((one) => leftBehind(one)),
    ...failed(rehearsal),
  ]);
}

/** A statement, and what its transaction held while it ran: also what earlier statements of it took. */
interface Held {
  readonly statement: ObservedStatement;
  readonly locks: ReadonlyMap<string, LockMode>;
}

function heldLocks({ statements }: RehearsedMigration): readonly Held[] {
  let open = new Map<string, LockMode>();
  return statements.map((statement) => {
    const locks = statement.inTransaction ? open : new Map<string, LockMode>();
    for (const { relation, mode } of statement.locks) {
      if (rank(mode) > rank(locks.get(relation))) locks.set(relation, mode);
    }
    open = statement.inTransaction ? locks : new Map<string, LockMode>();
    return { statement, locks: new Map(locks) };
  });
}

function rank(mode: LockMode | undefined): number {
  return mode === undefined ? -1 : LOCK_MODES.indexOf(mode);
}

/** The statement that a finding is about: the last one that begins before it. */
function statementAt(finding: Finding, all: readonly Held[]): Held | undefined {
  return all.findLast(({ statement }) => isAbout(finding, statement));
}

/** The finding, or a milder one where the server showed that it is not so. */
function overruled(finding: Finding, held: Held | undefined, server: string): Finding {
  if (held === undefined || held.statement.error !== undefined || finding.allowed !== undefined) return finding;
  if (finding.severity === 'notice' || finding.phase === 'contract') return finding;
  const calm = calmBy(finding, held);
  if (calm === undefined) return finding;
  return {
    ...finding,
    severity: 'notice',
    why: `By its text, ${finding.message}. ${server} shows otherwise: ${calm}.`,
    source: 'rehearsal',
  };
}

/** Only a lock that was seen on that very table shows that the statement did its work there, and what it did not do. */
function calmBy({ code, lock }: Finding, { statement, locks }: Held): string | undefined {
  if (SEEN_AS_FAILURE.test(code)) return 'it ran without an error';
  const mode = lock && locks.get(lock.relation);
  if (lock === undefined || mode === undefined || statement.rewritten.length > 0) return undefined;
  if (SEEN_AS_REWRITE.test(code) && !statement.scanned.includes(lock.relation)) return 'nothing was written anew';
  if (SEEN_AS_SCAN.test(code) && statement.scanned.length === 0) return 'no table was read under the lock';
  if (blockedBy(lock.mode) !== 'nothing' && blockedBy(mode) === 'nothing') {
    return `it took ${mode} on ${lock.relation}, which keeps neither reads nor writes waiting`;
  }
  return undefined;
}

/** What the server did to a table that others use, and no rule foresaw. */
function slowUnderLock({ statement: one, locks }: Held, sizes: ReadonlyMap<string, TableSize>): Finding | undefined {
  const worked = [...locks]
    .map(([relation, mode]) => ({ relation, mode }))
    .filter(({ mode }) => blockedBy(mode) !== 'nothing')
    .toSorted((a, b) => rank(b.mode) - rank(a.mode))
    .filter(({ relation }) => one.rewritten.includes(relation) || one.scanned.includes(relation));
  const worst = worked.find(({ relation }) => !isSmall(sizes.get(relation))) ?? worked[0];
  if (worst === undefined || one.error !== undefined) return undefined;
  const does = one.rewritten.includes(worst.relation) ? 'writes all of' : 'reads all of';
  const size = sizes.get(worst.relation);
  return {
    code: one.rewritten.includes(worst.relation) ? 'table-rewrites' : 'table-scanned-under-lock',
    // As the linter has it: a small table is done before anybody notices.
    severity: isSmall(size) ? 'notice' : 'error',
    place: one.place,
    message: `it ${does} ${worst.relation}${one.rewritten.includes(worst.relation) ? ' anew' : ''} while ${blockedBy(worst.mode)} wait`,
    why: `Rehearsed: it took ${worst.mode} on ${worst.relation} and held it for as long as that takes${size === undefined ? '' : ` (production has about ${inWords(size.rows)} rows)`}.`,
    remedy: 'Look for a form that does the work before the lock is taken, or in batches.',
    statement: one.sql.slice(0, 500),
    lock: worst,
    source: 'rehearsal',
  };
}

function leftBehind({ migration, invalidIndexes, reversed }: RehearsedMigration): readonly Finding[] {
  const place = { file: migration.file, line: 1 };
  const invalid = invalidIndexes.map((index): Finding => ({
    code: 'invalid-index',
    severity: 'error',
    place,
    message: `${migration.name} leaves the index ${index} invalid`,
    why: 'No query uses such an index, while every write still keeps it up.',
    remedy: 'Drop it and build it again; find out why it failed first.',
    source: 'rehearsal',
  }));
  if (reversed === undefined || (reversed.same && reversed.error === undefined)) return invalid;
  const why =
    reversed.error === undefined
      ? `Rehearsed: after up, down and up again the schema is another one: ${reversed.differences.slice(0, 5).join('; ')}.`
      : `Rehearsed: the way back ended in ${JSON.stringify(reversed.error.message)} (${reversed.error.code}).`;
  return [
    ...invalid,
    {
      code: 'way-back-fails',
      severity: 'warning',
      place,
      message: `the way back of ${migration.name} does not lead back`,
      why,
      remedy: 'Mend it, or take it out: one that fails in an incident is worse than none.',
      source: 'rehearsal',
    },
  ];
}

function failed({ failed: failure, server }: Rehearsal): readonly Finding[] {
  if (failure === undefined) return [];
  const { migration, error, message, place } = failure;
  return [
    {
      code: 'rehearsal-failed',
      severity: 'error',
      place: place ?? { file: migration?.file ?? '' },
      message: `${migration === undefined ? 'the migrations' : migration.name} could not be applied: ${message}`,
      why: `PostgreSQL ${Math.floor(server.version / 10_000)} refused it in the rehearsal${error === undefined ? '' : ` (${error.code})`}; production would refuse it too, half way through the deploy.`,
      remedy: error?.hint ?? 'Mend the migration, and run its tool against an empty database to try it.',
      source: 'rehearsal',
    },
  ];
}

/** A large number as people say it: `41 million`. */
export function inWords(count: number): string {
  if (count < 10_000) return Math.round(count).toLocaleString('en');
  const [value, unit] =
    count < 1e6 ? [count / 1e3, 'thousand'] : count < 1e9 ? [count / 1e6, 'million'] : [count / 1e9, 'billion'];
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${unit}`;
}
