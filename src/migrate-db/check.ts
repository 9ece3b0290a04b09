import type { Host } from '../action/host.ts';
import { type Finding, type Risk, riskOf } from '../migration/finding.ts';
import type { Migration } from '../migration/migration.ts';
import { withoutDown } from '../migration/checks.ts';
import type { Earlier } from '../rehearsal/estimate.ts';
import type { KnownSchema } from '../rehearsal/known-schema.ts';
import type { Rehearsal, TableSize } from '../rehearsal/rehearsal.ts';
import { lint } from '../sql-lint/lint.ts';
import { byUrgency } from '../sql-lint/order.ts';
import { judge } from './judge.ts';
import { type Phase, type Phased, mixedFinding, phasesOf, riskIn, statementsOf } from './phases.ts';
import type { MigrationSet } from './sets.ts';
import type { Tried } from './shadow.ts';
import { textsOf } from './texts.ts';

/** What is known of a set's new migrations before they touch a real database. */
export interface Checked {
  readonly set: MigrationSet;
  /** The migrations that were looked at, in order. */
  readonly migrations: readonly Migration[];
  /** What to mend first, first. */
  readonly findings: readonly Finding[];
  readonly risk: Risk;
  readonly phases: readonly Phased[];
  readonly rehearsal?: Rehearsal;
  /** Why nothing was rehearsed. */
  readonly notRehearsed?: string;
  /** Production's tables, as far as they are known. */
  readonly sizes: ReadonlyMap<string, TableSize>;
  /** What production took for statements before. */
  readonly past: readonly Earlier[];
}

export interface CheckOptions {
  /** `server_version_num` of the target, where it is known. */
  readonly version?: number;
  readonly sizes: ReadonlyMap<string, TableSize>;
  readonly past?: readonly Earlier[];
  /** What the target holds, where it was asked; a rehearsal knows as much. */
  readonly schema?: KnownSchema;
  /** What is to be applied of them; all, where nothing is said. */
  readonly phase?: Phase | 'all';
  /** What the database has; in a check without one, what is not new counts as applied. */
  readonly applied?: Parameters<MigrationSet['tool']['check']>[1];
  /** Rehearses; absent where that was not asked for. */
  readonly tryOut?: (migrations: readonly Migration[]) => Promise<Tried>;
}

/** Reads, rehearses and judges what is new. */
export async function check(
  set: MigrationSet,
  migrations: readonly Migration[],
  options: CheckOptions,
  host: Pick<Host, 'log'>,
): Promise<Checked> {
  const news = new Set(migrations.map(({ id }) => id));
  const applied =
    options.applied ??
    set.migrations.filter(({ id }) => !news.has(id)).map(({ id }) => ({ id, state: 'applied' as const }));
  const order = set.tool.check(set.migrations, applied);
  const { sizes, past = [] } = options;
  if (migrations.length === 0) {
    return { set, migrations, findings: order, risk: riskOf(order), phases: [], sizes, past };
  }
  const tried = await options.tryOut?.(migrations);
  const rehearsal = tried !== undefined && 'rehearsal' in tried ? tried.rehearsal : undefined;
  const { scripts, placed } = textsOf(migrations, rehearsal);
  const version = options.version ?? rehearsal?.server.version;
  const context = {
    setsTimeouts: true,
    sizes,
    ...(rehearsal?.known ?? options.schema),
    ...(version !== undefined && { version }),
  };
  const linted = (await lint(scripts, context)).map((finding) => placed(finding));
  const judged = judge(linted, rehearsal, options.sizes);
  const statements = statementsOf(migrations, rehearsal);
  const phases = phasesOf(migrations, judged, statements);
  const mixed = phases
    .filter(({ phase }) => phase === 'mixed')
    .map(({ migration }) => mixedFinding(migration, judged, statements.get(migration.id) ?? []));
  const down = withoutDown(migrations, set.tool.title).filter(() => set.tool.down !== undefined);
  const findings = byUrgency([...judged, ...unseen(migrations, rehearsal), ...order, ...mixed, ...down]);
  const missing = tried !== undefined && 'missing' in tried ? tried.missing : undefined;
  if (missing !== undefined) host.log.warning(missing);
  return {
    set,
    migrations,
    findings,
    risk: riskIn(findings, phases, options.phase ?? 'all'),
    phases,
    sizes,
    past,
    ...(rehearsal && { rehearsal }),
    ...(missing !== undefined && { notRehearsed: missing }),
  };
}

/** Programs that nothing ran, and so nobody judged: no finding about them says that they are harmless. */
function unseen(migrations: readonly Migration[], rehearsal: Rehearsal | undefined): readonly Finding[] {
  if (rehearsal !== undefined) return [];
  return migrations
    .filter(({ up }) => up === undefined)
    .map(({ name, file }) => ({
      code: 'not-judged',
      severity: 'error',
      place: { file, line: 1 },
      message: `what ${name} does is not known, as it is a program and was not rehearsed`,
      why: 'It may lock or lose anything: only running it shows its SQL.',
      remedy:
        'Let it be rehearsed: install the dependencies of the project, and a PostgreSQL server, before this action.',
      source: 'tool',
    }));
}
