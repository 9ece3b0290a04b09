import type { Finding } from '../migration/finding.ts';
import type { Script } from '../migration/migration.ts';
import { splitMysql } from '../mysql-sql/split.ts';
import { Lines } from '../sql/lines.ts';
import type { Statement } from '../sql/statement.ts';
import { ScriptFindings } from '../sql-lint/findings.ts';
import { byUrgency } from '../sql-lint/order.ts';
import type { Hazard } from '../sql-lint/rule.ts';
import { textFault } from '../sql-lint/text.ts';
import { Catalog, type MysqlTableSize } from './catalog.ts';
import type { MysqlRule, MysqlStep } from './rule.ts';
import { howAltered } from './rules/alter.ts';
import { breaks } from './rules/breaks.ts';
import { data } from './rules/data.ts';
import { definitions, isDdl, isShared, timeouts, transactions, triggers } from './rules/sessions.ts';
import { readStatement } from '../mysql-sql/statement.ts';
import type { Server } from './way.ts';

/** What the linter goes by besides the text. The less is known, the more it has to assume. */
export interface MysqlLintContext {
  /** The target's; MySQL 8.0.36 where nobody knows. */
  readonly server?: Server;
  /** Scripts that are applied before, such as earlier migrations and `SHOW CREATE TABLE` of the target. */
  readonly before?: readonly Pick<Script, 'sql'>[];
  /** Sizes on the target: what is small is soon done. */
  readonly sizes?: readonly MysqlTableSize[];
  /** Whether whoever applies the scripts sets lock_wait_timeout itself. */
  readonly setsTimeouts?: boolean;
}

const ASSUMED: Server = { flavour: 'MySQL', version: 80_036 };
/** A statement above this is data. */
const LONGEST_STATEMENT = 256 * 1024;
const RULES: readonly MysqlRule[] = [howAltered, breaks, data, transactions, definitions, triggers, timeouts];

/**
 * Judges scripts of MySQL or MariaDB in the order in which they are applied, by their text and what is known of the
 * target. Reads no file and asks no server.
 * @returns what to mend first, first
 */
export function lintMysql(scripts: readonly Script[], context: MysqlLintContext = {}): readonly Finding[] {
  const server = context.server ?? ASSUMED;
  const catalog = new Catalog(context.sizes);
  for (const { sql } of context.before ?? []) {
    for (const statement of splitMysql(sql).statements) {
      if (statement.sql.length <= LONGEST_STATEMENT) catalog.apply(readStatement(statement.sql, server.flavour));
    }
  }
  return byUrgency(scripts.flatMap((script) => lintScript(script, catalog, server, context.setsTimeouts === true)));
}

function lintScript(script: Script, catalog: Catalog, server: Server, setsTimeouts: boolean): readonly Finding[] {
  const findings = new ScriptFindings(script, catalog);
  const fault = textFault(script.sql);
  if (fault !== undefined) {
    findings.addAt(fault, { line: script.firstLine, column: 1 });
    return findings.all;
  }
  catalog.beginScript();
  const { statements, oddities, trailing } = splitMysql(script.sql, script.firstLine);
  const lines = new Lines(script.sql, script.firstLine);
  for (const { kind, what, offset } of oddities) findings.addAt(odd(kind, what), lines.at(offset));
  const session = { inTransaction: false, checksForeignKeys: true, hasLockTimeout: setsTimeouts, ddl: [] as Ddl[] };
  for (const statement of statements) {
    findings.begin(statement);
    if (statement.sql.length > LONGEST_STATEMENT) tooLong(statement, findings);
    else {
      const reading = readStatement(statement.sql, server.flavour);
      const step: MysqlStep = { sql: statement.sql, reading, catalog, server, session };
      for (const rule of RULES) for (const hazard of rule(step)) findings.add(hazard, 0);
      if (isDdl(statement.sql, reading)) session.ddl.push({ line: statement.line, isShared: isShared(step) });
      advance(session, step);
      catalog.apply(reading);
    }
    findings.end();
  }
  findings.unused(trailing);
  return findings.all;
}

type Ddl = MysqlStep['session']['ddl'][number];
type Session = { -readonly [K in keyof MysqlStep['session']]: MysqlStep['session'][K] };

function advance(session: Session, { reading, sql }: MysqlStep): void {
  if (reading.kind === 'begin') session.inTransaction = true;
  else if (reading.kind === 'end' || isDdl(sql, reading)) session.inTransaction = false;
  if (reading.kind !== 'set') return;
  if (reading.name === 'foreign_key_checks') session.checksForeignKeys = !/^(?:0|off|false)$/i.test(reading.value);
  if (reading.name === 'lock_wait_timeout') session.hasLockTimeout = Number(reading.value) <= 60;
  if (reading.name === 'autocommit') session.inTransaction = /^(?:0|off|false)$/i.test(reading.value);
}

function tooLong({ sql }: Statement, findings: ScriptFindings): void {
  // An INSERT of values harms nobody, however long; anything else of this size is worth a look.
  if (/^(?:insert|replace)\b/i.test(sql)) return;
  findings.add(
    {
      code: 'statement-too-long',
      message: `a statement of ${(sql.length / 1024 / 1024).toFixed(1)} MB was not looked into`,
      why: 'What it locks is not known.',
      remedy: 'Split it.',
    },
    0,
  );
}

function odd(kind: 'unterminated' | 'client-command', what: string): Hazard {
  if (kind === 'unterminated') {
    return {
      code: 'syntax-error',
      message: `the ${what} that begins here never ends`,
      why: 'All that follows belongs to it.',
      remedy: 'Close it.',
    };
  }
  return {
    code: 'client-command',
    message: `\`${what}\` is a command of the mysql client; no server and no other client knows it`,
    why: 'The script fails here.',
    remedy: 'Leave it out, or write what it does as SQL.',
  };
}
