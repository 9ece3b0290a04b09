import type { AlterTableCmd, AlterTableStmt } from 'libpg-query';
import type { Table } from './catalog.ts';
import { as, commandsOf } from './clauses.ts';
import { type Relation, rangeOf } from './names.ts';
import type { Step } from './rule.ts';

/** One command of an ALTER TABLE on a table that others may use. */
export interface Alteration {
  readonly relation: Relation;
  /** What is known of it. */
  readonly table: Table | undefined;
  readonly command: AlterTableCmd;
  /** The command as it stands; empty where the text can't be told apart. */
  readonly text: string;
  /** `ALTER TABLE shipments`, to begin other commands with. */
  readonly alter: string;
}

/** The commands of an ALTER TABLE, none where its table is the script's own. */
export function alterationsOf(step: Step): readonly Alteration[] {
  const statement = as(step.node, 'AlterTableStmt');
  if (!statement) return NONE;
  // Most rules ask, and each answer takes the text apart.
  const known = KNOWN.get(step);
  if (known) return known;
  const found = read(step, statement);
  KNOWN.set(step, found);
  return found;
}

const NONE: readonly Alteration[] = [];
const KNOWN = new WeakMap<Step, readonly Alteration[]>();

function read(step: Step, statement: AlterTableStmt): readonly Alteration[] {
  if (statement.objtype !== 'OBJECT_TABLE') return [];
  const relation = rangeOf(statement.relation);
  const table = step.catalog.table(relation.name);
  if (table?.isNew === true) return [];
  const commands = (statement.cmds ?? []).flatMap((node) => as(node, 'AlterTableCmd') ?? []);
  const texts = commandsOf(step.sql, statement.relation?.location ?? 0, commands.length);
  return commands.map((command, index) => ({
    relation,
    table,
    command,
    text: texts[index] ?? '',
    alter: `ALTER TABLE ${relation.sql}`,
  }));
}

/**
 * A condition for some of the rows that have another. That one has to stand beside it: rows of different partitions may
 * have the same ctid.
 */
export function someOf(table: string, condition: string): string {
  return `ctid = ANY (ARRAY(SELECT ctid FROM ${table}${condition === '' ? '' : ` WHERE ${condition}`} LIMIT 1000))`;
}

/** Fills a column in steps, each over in a moment: to be run again until it changes no row. */
export function fillInBatches(table: Relation, assignment: string, condition: string): string {
  return `-- Fill it in steps, outside a transaction, until this changes no row:
UPDATE ${table.sql} SET ${assignment} WHERE ${condition} AND ${someOf(table.sql, condition)};`;
}
