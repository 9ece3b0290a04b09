import type { AlterTableCmd, Constraint, Node, RangeVar } from 'libpg-query';
import { LOCK_MODES, type LockMode, type RelationLock } from '../migration/finding.ts';
import { isBounded } from './bounded.ts';
import { as, within } from './clauses.ts';
import { rangeOf, relationOf, textsOf } from './names.ts';
import type { Step } from './rule.ts';
import { hasOption, isConcurrent } from './rules/indexes.ts';

/**
 * The locks that a statement takes on relations others use and that keep at least their writes waiting (manual, 13.3).
 * Those of indexes, which are not known by name here, are left out.
 */
export function blockingLocksOf(step: Step): readonly RelationLock[] {
  const known = KNOWN.get(step);
  if (known) return known;
  const locks = strongestOf(step);
  KNOWN.set(step, locks);
  return locks;
}

const KNOWN = new WeakMap<Step, readonly RelationLock[]>();

function strongestOf(step: Step): readonly RelationLock[] {
  const locks = [...taken(step)].filter(({ relation }) => relation !== '' && !step.catalog.isNew(relation));
  const strongest = new Map<string, LockMode>();
  for (const { relation, mode } of locks) {
    const known = strongest.get(relation);
    if (known === undefined || LOCK_MODES.indexOf(mode) > LOCK_MODES.indexOf(known)) strongest.set(relation, mode);
  }
  return [...strongest].map(([relation, mode]) => ({ relation, mode }));
}

function* taken(step: Step): Generator<RelationLock> {
  const { node, catalog } = step;
  const lock = (range: RangeVar | undefined, mode: LockMode): RelationLock => ({ relation: rangeOf(range).name, mode });
  const alter = as(node, 'AlterTableStmt');
  if (alter?.objtype === 'OBJECT_TABLE') {
    for (const one of alter.cmds ?? []) {
      const command = as(one, 'AlterTableCmd');
      const mode = command && modeOf(command);
      if (mode !== undefined) yield lock(alter.relation, mode);
      const partition = as(command?.def, 'PartitionCmd');
      if (partition?.concurrent !== true) yield lock(partition?.name, 'AccessExclusiveLock');
    }
  }
  const create = as(node, 'CreateStmt');
  for (const constraint of constraintsOf(alter?.cmds ?? create?.tableElts))
    if (constraint.pktable) yield lock(constraint.pktable, 'ShareRowExclusiveLock');
  if (create?.partbound) yield lock(as(create.inhRelations?.[0], 'RangeVar'), 'AccessExclusiveLock');
  const index = as(node, 'IndexStmt');
  if (index && index.concurrent !== true) yield lock(index.relation, 'ShareLock');
  const trigger = as(node, 'CreateTrigStmt');
  if (trigger) yield lock(trigger.relation, 'ShareRowExclusiveLock');
  const policy = as(node, 'CreatePolicyStmt')?.table ?? as(node, 'RuleStmt')?.relation;
  if (policy) yield lock(policy, 'AccessExclusiveLock');
  const rename = as(node, 'RenameStmt');
  if (rename?.renameType === 'OBJECT_TABLE' || rename?.relationType === 'OBJECT_TABLE')
    yield lock(rename.relation, 'AccessExclusiveLock');
  const moved = as(node, 'AlterObjectSchemaStmt');
  if (moved?.objectType === 'OBJECT_TABLE') yield lock(moved.relation, 'AccessExclusiveLock');
  for (const one of as(node, 'TruncateStmt')?.relations ?? []) yield lock(as(one, 'RangeVar'), 'AccessExclusiveLock');
  const cluster = as(node, 'ClusterStmt');
  if (cluster) yield lock(cluster.relation, 'AccessExclusiveLock');
  const vacuum = as(node, 'VacuumStmt');
  for (const one of hasOption(vacuum?.options, 'full') ? (vacuum?.rels ?? []) : [])
    yield lock(as(one, 'VacuumRelation')?.relation, 'AccessExclusiveLock');
  const refresh = as(node, 'RefreshMatViewStmt');
  // Nobody writes to a view, so that ExclusiveLock keeps nobody waiting.
  if (refresh && refresh.concurrent !== true) yield lock(refresh.relation, 'AccessExclusiveLock');
  const reindex = as(node, 'ReindexStmt');
  if (reindex?.relation && !isConcurrent(reindex.params)) {
    const own = rangeOf(reindex.relation).name;
    const table = reindex.kind === 'REINDEX_OBJECT_INDEX' ? catalog.tableOfIndex(own)?.name : own;
    yield { relation: table ?? '', mode: 'ShareLock' };
  }
  const explicit = as(node, 'LockStmt');
  const mode = LOCK_MODES[(explicit?.mode ?? 0) - 1];
  if (mode !== undefined && isBlocking(mode))
    for (const one of explicit?.relations ?? []) yield lock(as(one, 'RangeVar'), mode);
  yield* dropped(step);
}

/** The constraints of a table's elements or commands, and of their columns. */
function constraintsOf(nodes: readonly Node[] | undefined): readonly Constraint[] {
  return (nodes ?? []).flatMap((node) => {
    const element = as(node, 'AlterTableCmd')?.def ?? node;
    const own = as(element, 'Constraint');
    return own ? [own] : constraintsOf(as(element, 'ColumnDef')?.constraints);
  });
}

function* dropped({ node, catalog }: Step): Generator<RelationLock> {
  const drop = as(node, 'DropStmt');
  for (const object of drop?.objects ?? []) {
    const parts = textsOf(as(object, 'List')?.items);
    if (drop?.removeType === 'OBJECT_TABLE') yield { relation: relationOf(parts).name, mode: 'AccessExclusiveLock' };
    // Named last is what is dropped, before it the table.
    if (drop?.removeType === 'OBJECT_TRIGGER' || drop?.removeType === 'OBJECT_POLICY')
      yield { relation: relationOf(parts.slice(0, -1)).name, mode: 'AccessExclusiveLock' };
    if (drop?.removeType === 'OBJECT_INDEX' && drop.concurrent !== true)
      yield { relation: catalog.tableOfIndex(relationOf(parts).name)?.name ?? '', mode: 'AccessExclusiveLock' };
  }
}

export function isBlocking(mode: LockMode): boolean {
  return LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf('ShareLock');
}

/** The lock of one command of ALTER TABLE where it blocks (tablecmds.c, AlterTableGetLockLevel). */
function modeOf(command: AlterTableCmd): LockMode | undefined {
  const constraint = as(command.def, 'Constraint');
  const kind: string = command.subtype ?? '';
  switch (kind) {
    case 'AT_SetStatistics':
    case 'AT_SetOptions':
    case 'AT_ResetOptions':
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
    case 'AT_ClusterOn':
    case 'AT_DropCluster':
    case 'AT_ValidateConstraint':
    case 'AT_AttachPartition':
      return undefined;
    case 'AT_DetachPartition':
      return as(command.def, 'PartitionCmd')?.concurrent === true ? undefined : 'AccessExclusiveLock';
    case 'AT_AddConstraint':
      return constraint?.contype === 'CONSTR_FOREIGN' ? 'ShareRowExclusiveLock' : 'AccessExclusiveLock';
    default:
      return /^AT_(?:Enable|Disable)(?:Always|Replica)?Trig/.test(command.subtype ?? '')
        ? 'ShareRowExclusiveLock'
        : 'AccessExclusiveLock';
  }
}

/** Whether a statement may read or write any number of rows of what was there before. */
export function isWork(step: Step): boolean {
  const { node, catalog } = step;
  const isUsed = (range: RangeVar | undefined): boolean =>
    range?.relname !== undefined && !catalog.isNew(rangeOf(range).name) && !catalog.isSmall(rangeOf(range).name);
  const index = as(node, 'IndexStmt');
  if (index) return isUsed(index.relation);
  const changed = as(node, 'UpdateStmt') ?? as(node, 'DeleteStmt');
  if (changed)
    return isUsed(changed.relation) && !isBounded(changed.whereClause, rangeOf(changed.relation).name, catalog);
  const alter = as(node, 'AlterTableStmt');
  if (alter)
    return (
      (alter.cmds ?? []).some((one) => as(one, 'AlterTableCmd')?.subtype === 'AT_ValidateConstraint') &&
      isUsed(alter.relation)
    );
  const view = as(node, 'RefreshMatViewStmt');
  if (view) return true;
  const into = as(node, 'CreateTableAsStmt');
  const query = as(node, 'InsertStmt')?.selectStmt ?? into?.query ?? (as(node, 'SelectStmt') && node);
  return query !== undefined && into?.into?.skipData !== true && readsMuch(query, catalog, isUsed);
}

function readsMuch(query: Node, catalog: Step['catalog'], isUsed: (range: RangeVar) => boolean): boolean {
  const select = as(query, 'SelectStmt');
  const limit = as(select?.limitCount, 'A_Const')?.ival?.ival;
  if (limit !== undefined && limit <= 1000 && select?.sortClause === undefined) return false;
  const tables = [...within(select?.fromClause, 'RangeVar')].filter(isUsed);
  if (tables.length === 1 && tables[0] && select?.groupClause === undefined)
    return !isBounded(select?.whereClause, rangeOf(tables[0]).name, catalog);
  return tables.length > 0;
}
