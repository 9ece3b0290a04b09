import type { Finding } from '../migration/finding.ts';
import type { Script } from '../migration/migration.ts';
import { Lines } from '../sql/lines.ts';
import { type Parser, openParser } from '../sql/parser.ts';
import { splitScript } from '../sql/split.ts';
import type { Statement } from '../sql/statement.ts';
import { Catalog } from './catalog.ts';
import type { LintContext } from './context.ts';
import { ScriptFindings } from './findings.ts';
import { blockOf, callOf } from './opaque.ts';
import { hazardsOf, take } from './rules.ts';
import type { Hazard, Step } from './rule.ts';
import { Session } from './session.ts';
import { byUrgency } from './order.ts';
import { textFault } from './text.ts';

/** A statement above this is data, whose tree would cost seconds. */
const LONGEST_STATEMENT = 256 * 1024;
const ASSUMED_VERSION = 150_000;

/**
 * Judges scripts in the order in which they are applied, by their text and what is known of the target. Reads no file
 * and asks no server; the parser is loaded only where there is a script.
 * @returns what to mend first, first
 */
export async function lint(scripts: readonly Script[], context: LintContext = {}): Promise<readonly Finding[]> {
  if (scripts.length === 0) return [];
  const linter = new Linter(await openParser(), context);
  try {
    const found: Finding[] = [];
    for (const script of scripts) found.push(...(await linter.script(script)));
    return byUrgency(found);
  } finally {
    linter.close();
  }
}

class Linter {
  #parser: Parser;
  readonly #context: LintContext;
  readonly #catalog: Catalog;
  readonly #version: number;

  constructor(parser: Parser, context: LintContext) {
    this.#parser = parser;
    this.#context = context;
    this.#catalog = new Catalog(context);
    this.#version = context.version ?? ASSUMED_VERSION;
  }

  close(): void {
    this.#parser.close();
  }

  async script(script: Script): Promise<readonly Finding[]> {
    const findings = new ScriptFindings(script, this.#catalog);
    const fault = textFault(script.sql);
    if (fault) {
      findings.addAt(fault, { line: script.firstLine, column: 1 });
      return findings.all;
    }
    this.#catalog.beginScript();
    const session = new Session(script.transaction);
    const { statements, oddities, trailing } = splitScript(script.sql, script.firstLine);
    const lines = new Lines(script.sql, script.firstLine);
    for (const oddity of oddities) findings.addOddity(oddity, lines.at(oddity.offset));
    for (const statement of statements) {
      findings.begin(statement);
      if (this.#parser.isSpent) this.#parser = await openParser();
      this.#statement(statement, { session, findings, lines });
      findings.end();
    }
    if (typeof session.transaction === 'object') findings.leftOpen(session.transaction.line);
    findings.unused(trailing);
    return findings.all;
  }

  #statement(statement: Statement, { session, findings, lines }: Running): void {
    const { sql } = statement;
    if (sql.length > LONGEST_STATEMENT) {
      // An INSERT of values harms nobody, however long; anything else of this size is worth a look.
      if (!/^insert\b/i.test(sql)) findings.add(tooLong(sql.length), 0);
      return;
    }
    const parsed = this.#parser.parse(sql);
    if ('fault' in parsed) {
      findings.add(syntaxError(parsed.fault.message, sql), parsed.fault.offset);
      return;
    }
    const { node } = parsed;
    const step = this.#step(sql, node, session);
    const block = blockOf(sql, node, this.#parser);
    const call = callOf(node);
    if (call) findings.add(call, 0);
    if (!block) {
      for (const hazard of hazardsOf(step)) findings.add(hazard, 0);
      take(step, statement.line);
      return;
    }
    for (const hazard of block.opaque) findings.add(hazard, 0);
    // A block is one transaction at least.
    const isOwn = !session.inTransaction;
    session.begin(statement.line);
    for (const inner of block.inner) {
      const within = this.#step(inner.sql, inner.node, session);
      const called = callOf(inner.node);
      for (const hazard of [...(called ? [called] : []), ...hazardsOf(within)]) findings.add(hazard, inner.offset);
      take(within, lines.at(statement.offset + inner.offset).line);
    }
    if (isOwn) session.end();
  }

  #step(sql: string, node: Step['node'], session: Session): Step {
    return { sql, node, session, catalog: this.#catalog, version: this.#version, context: this.#context };
  }
}

/** What belongs to the script under way. */
interface Running {
  readonly session: Session;
  readonly findings: ScriptFindings;
  readonly lines: Lines;
}

function tooLong(length: number): Hazard {
  return {
    code: 'statement-too-long',
    message: `a statement of ${(length / 1024 / 1024).toFixed(1)} MB was not looked into`,
    why: 'What it locks is not known before a rehearsal.',
    remedy: 'Split it.',
  };
}

function syntaxError(message: string, sql: string): Hazard {
  const isVariable = /(?:^|[^:]):['"]?[a-z_]/i.test(sql) && message.includes('":"');
  return {
    code: 'syntax-error',
    message,
    why: 'The server refuses the statement, and with it what comes after it.',
    remedy: isVariable ? 'Variables like :name are known to psql alone; write the value.' : 'Mend the statement.',
  };
}
