import type { Hazard, Rule, Step } from './rule.ts';
import { as } from './clauses.ts';
import { blockingLocksOf } from './effects.ts';
import { hazardKind } from './hazards.ts';
import { alterations, triggers } from './rules/alterations.ts';
import { columns } from './rules/columns.ts';
import { constraints } from './rules/constraints.ts';
import { data } from './rules/data.ts';
import { drops, renames } from './rules/drops.ts';
import { indexes } from './rules/indexes.ts';
import { maintenance } from './rules/maintenance.ts';
import { partitions } from './rules/partitions.ts';
import { timeouts } from './rules/timeouts.ts';
import { addedEnumValue, severalAlters, transactions, workUnderLock } from './rules/transactions.ts';
import { settingsOf } from './session.ts';

const ofData = [transactions, data, timeouts];
const named = [transactions, renames, timeouts];

/** The rules by the kind of statement that they know something of. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  AlterDomainStmt: [constraints],
  AlterEnumStmt: named,
  AlterObjectSchemaStmt: named,
  AlterTableStmt: [transactions, constraints, columns, alterations, drops, partitions, severalAlters, timeouts],
  ClusterStmt: [transactions, maintenance, timeouts],
  CreateStmt: [transactions, partitions, timeouts],
  CreateTrigStmt: [triggers, timeouts],
  DeleteStmt: ofData,
  DropStmt: [transactions, indexes, drops, timeouts],
  DropdbStmt: [transactions, drops],
  IndexStmt: [transactions, indexes, timeouts],
  InsertStmt: ofData,
  LockStmt: [maintenance, timeouts],
  RefreshMatViewStmt: [maintenance, timeouts],
  ReindexStmt: [transactions, indexes, timeouts],
  RenameStmt: named,
  SelectStmt: ofData,
  TruncateStmt: ofData,
  UpdateStmt: ofData,
  VacuumStmt: [transactions, maintenance, timeouts],
};
const OTHERS: readonly Rule[] = [transactions, timeouts];

/** All that the rules find about a statement. */
export function hazardsOf(step: Step): readonly Hazard[] {
  const found: Hazard[] = [];
  for (const kind of Object.keys(step.node)) for (const rule of RULES[kind] ?? OTHERS) found.push(...rule(step));
  // What fails or blocks by itself need not be told that it does so under a lock.
  const isToldAlready = found.some(({ code, severity }) => (severity ?? hazardKind(code).severity) === 'error');
  return isToldAlready ? found : [...found, ...workUnderLock(step)];
}

/** Brings schema and session to where they are after a statement. @param line where it stands */
export function take(step: Step, line: number): void {
  const { node, session, catalog } = step;
  const locks = blockingLocksOf(step);
  const added = addedEnumValue(step);
  const altered = as(node, 'AlterTableStmt') ? locks[0]?.relation : undefined;
  for (const setting of settingsOf(node)) session.set(setting);
  catalog.apply(node);
  if (altered !== undefined && !session.altered.has(altered)) session.altered.set(altered, line);
  const kind: string = as(node, 'TransactionStmt')?.kind ?? '';
  switch (kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      session.begin(line);
      return;
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
    case 'TRANS_STMT_PREPARE':
      session.end();
      return;
    default:
  }
  if (!session.inTransaction) return;
  for (const lock of locks) session.held.push({ ...lock, line });
  if (added) session.newEnumValues.set(added.value, added.type);
}
