import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import { type Finding, riskOf } from '../migration/finding.ts';
import { type MysqlState, applyMysql, checkMysql, parseMysqlUrl, planMysql } from '../mysql/mysql.ts';
import { masksOf } from '../postgres/url.ts';
import { byUrgency } from '../sql-lint/order.ts';
import { limitsOf, refuse } from './apply-mode.ts';
import type { Checked } from './check.ts';
import type { MigrateInputs } from './inputs.ts';
import type { ApplyOutcome, CheckOutcome, Outcome, PlanOutcome } from './outcome.ts';
import { keep } from './keep.ts';
import { trustedFile } from './reach.ts';
import { type MigrationSet, newsOf } from './sets.ts';
import type { Survey } from './survey.ts';

/** Nothing is rehearsed for MySQL: a runner has no server of it. */
const BY_TEXT =
  'MySQL and MariaDB are judged by the text and what the target says: there is no server here to rehearse on';

/** The story of a run for MySQL and MariaDB. @throws UserError for what is there for PostgreSQL alone */
export async function mysqlOutcome(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<Outcome> {
  if (given.mode === 'check') return checkMysqlMode(given, sets, host);
  if (given.mode === 'repair' || given.mode === 'capture-schema' || given.runIn === 'kubernetes') {
    throw new UserError(
      `mode: ${given.mode}${given.runIn === 'kubernetes' ? ' in the cluster' : ''} is there for PostgreSQL alone`,
      {
        remedy: 'mode: status says what a run that died left; applying again goes on from there.',
      },
    );
  }
  if (given.databaseUrl === '') {
    throw new UserError('input database-url is missing', {
      remedy: 'Give mysql://user:password@host:3306/database from a secret.',
    });
  }
  if (given.backup !== '') {
    throw new UserError('backup: pg_dump is there for PostgreSQL alone', {
      remedy: 'Take a snapshot, as by snapshot: rds:<instance>, or dump by mysqldump in a step before.',
    });
  }
  if (given.mode === 'apply') return applyMysqlMode(given, sets, host);
  const plan = await planMysqlMode(given, sets, host);
  return given.mode === 'plan' ? plan : { mode: 'status', survey: plan.survey };
}

/** `mode: check` for MySQL and MariaDB. */
async function checkMysqlMode(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<CheckOutcome> {
  const news = await Promise.all(sets.map(async (set) => newsOf(set, given, host)));
  const unknown = news.find((one) => one.unknown !== undefined)?.unknown;
  const checked = sets.map((set, at) => {
    const migrations = news[at]?.migrations ?? [];
    const ids = new Set(migrations.map(({ file }) => file));
    const scripts = set.migrations.flatMap(({ up }) => up ?? []);
    const findings = checkMysql(scripts, ({ file }) => ids.has(file), { setsTimeouts: set.tool.up === undefined });
    const applied = set.migrations
      .filter((one) => !migrations.includes(one))
      .map(({ id }) => ({ id, state: 'applied' as const }));
    return checkedOf(set, migrations, [...findings, ...set.tool.check(set.migrations, applied)]);
  });
  return { mode: 'check', checked, notRehearsed: BY_TEXT, ...(unknown !== undefined && { unknown }) };
}

/** `mode: plan` and `status` for MySQL and MariaDB: they read the target and change nothing. */
async function planMysqlMode(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<PlanOutcome> {
  const { source, database } = await mysqlTarget(given, host);
  const checked: Checked[] = [];
  const states: MysqlState[] = [];
  for (const set of sets) {
    const { tool, found, migrations } = set;
    const state = await planMysql({ tool, found, migrations, connection: source }, host);
    states.push(state);
    checked.push(checkedOf(set, state.pending, [...state.findings, ...tool.check(migrations, state.applied)]));
  }
  return { mode: 'plan', checked, survey: surveyOf(sets, states, database), notRehearsed: BY_TEXT };
}

/** `mode: apply` for MySQL and MariaDB. Phases need tools that stop, so all that is pending is applied. */
async function applyMysqlMode(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<ApplyOutcome> {
  const { checked, survey } = await planMysqlMode(given, sets, host);
  refuse(given, checked);
  const { source } = await mysqlTarget(given, host);
  const applied: ApplyOutcome['applied'][number][] = [];
  const kept = checked.some(({ migrations }) => migrations.length > 0) ? await keep(given, host) : undefined;
  for (const { set, migrations } of checked) {
    if (migrations.length === 0) continue;
    const { tool, found } = set;
    const request = { tool, found, migrations: set.migrations, connection: source, limits: limitsOf(given) };
    const report = await applyMysql(request, host);
    applied.push({ set, report, drift: [] });
    if (report.state === 'failed' || report.state === 'cancelled') break;
  }
  return { mode: 'apply', checked, survey, applied, left: [], ...(kept && { kept }), notRehearsed: BY_TEXT };
}

function checkedOf(set: MigrationSet, migrations: Checked['migrations'], all: readonly Finding[]): Checked {
  const findings = byUrgency(all);
  const phases = migrations.map((migration) => ({ migration, phase: 'expand' as const }));
  return { set, migrations, findings, risk: riskOf(findings), phases, sizes: new Map(), past: [] };
}

async function mysqlTarget(
  given: MigrateInputs,
  host: Host,
): Promise<{ readonly source: ConnectionSource; readonly database: string }> {
  const { connection } = parseMysqlUrl(given.databaseUrl);
  for (const mask of masksOf(connection.password)) host.mask(mask);
  const ca = await trustedFile(given, host);
  const whole = { ...connection, ...(ca !== undefined && { ca }) };
  return { source: async () => whole, database: connection.database };
}

/** What the pages show of the target, in the form that they know. */
function surveyOf(sets: readonly MigrationSet[], states: readonly MysqlState[], database: string): Survey {
  const [first] = states;
  const flavour = first?.server.flavour ?? 'MySQL';
  return {
    server: {
      product: `${flavour} ${versionOf(first?.server.version ?? 0)}`,
      version: first?.server.version ?? 0,
      database,
      inRecovery: false,
      readOnly: false,
      isAurora: false,
      connections: { used: 0, free: 0, max: 0 },
    },
    sets: sets.map((set, at) => ({
      set,
      applied: states[at]?.applied ?? [],
      pending: states[at]?.pending ?? [],
      leftovers: (states[at]?.begun ?? []).map(({ id, statements }) => ({
        name: `sql-begun:${id}`,
        what: `${id} was begun and not ended: its first ${statements} statements are there, as every change of the schema commits by itself`,
        mend: 'Applying again goes on after them, or says what to look at where that is not sure.',
        sql: [],
      })),
    })),
    sizes: new Map((first?.sizes ?? []).map(({ table, rows, bytes }) => [table, { relation: table, rows, bytes }])),
    connected: first?.sessions ?? [],
    longTransactions: first?.transactions ?? [],
    invalidIndexes: [],
    past: [],
  };
}

function versionOf(version: number): string {
  return `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}`;
}
