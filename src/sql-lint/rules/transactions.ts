import type { Node } from 'libpg-query';
import { blockingLocksOf, isWork } from '../effects.ts';
import { as, within } from '../clauses.ts';
import { relationOf, textsOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { hasOption, isConcurrent } from './indexes.ts';

const APART = 'Put it into a script of its own that its tool runs outside a transaction.';

/** What a transaction makes of statements, and statements of the transaction. */
export function* transactions(step: Step): Generator<Hazard> {
  yield* borders(step);
  if (!step.session.inTransaction) return;
  if (isConcurrently(step.node)) {
    yield {
      code: 'concurrently-in-transaction',
      message: 'it fails: CONCURRENTLY cannot run inside a transaction',
      why: 'It commits several times by itself, so that nobody has to wait for the whole of it.',
      remedy: APART,
      rewrite: `-- outside a transaction: not between BEGIN and COMMIT, nor in a script that its tool wraps in one\n${step.sql};`,
    };
  }
  const name = outsideOnly(step);
  if (name !== undefined) {
    yield {
      code: 'cannot-run-in-transaction',
      message: `it fails: ${name} cannot run inside a transaction`,
      why: 'It can’t be taken back, or commits by itself.',
      remedy: APART,
      rewrite: `-- outside a transaction\n${step.sql};`,
    };
  }
  yield* enumValues(step);
}

function* borders(step: Step): Generator<Hazard> {
  const statement = as(step.node, 'TransactionStmt');
  const { transaction } = step.session;
  const kind: string = statement?.kind ?? '';
  switch (kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      if (transaction === 'none') return;
      yield {
        code: 'transaction-nested',
        message:
          transaction === 'tool'
            ? 'the tool has opened a transaction already; this BEGIN does nothing, and the COMMIT after it ends the tool’s'
            : `the transaction of line ${transaction.line} is still open; this BEGIN does nothing`,
        why: 'PostgreSQL has no nested transactions: what follows COMMIT runs by itself, and the tool can’t take it back.',
        remedy: 'Leave BEGIN and COMMIT out, or tell the tool to open no transaction for this script.',
      };
      return;
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
      if (transaction === 'tool') {
        yield {
          code: 'transaction-nested',
          message: 'it ends the transaction that the tool opened',
          why: 'What follows runs by itself, the tool can’t take it back, and its own record may come apart from it.',
          remedy: 'Leave it out, or tell the tool to open no transaction for this script.',
        };
      } else if (transaction === 'none') {
        yield {
          code: 'commit-without-begin',
          message: 'no transaction is open here',
          why: 'Each statement before was committed by itself; one that fails leaves those before it applied.',
          remedy: 'Put BEGIN before what belongs together, or leave it out.',
        };
      } else if (kind === 'TRANS_STMT_ROLLBACK') {
        yield {
          code: 'rolled-back',
          message: `it takes back everything since line ${transaction.line}, and the tool records the script as applied`,
          why: 'The schema stays as it was while everybody believes otherwise.',
          remedy: 'End it with COMMIT.',
        };
      }
      return;
    default:
  }
}

/** Whether a statement has CONCURRENTLY and so can't stand in a transaction; a refresh can. */
export function isConcurrently(node: Node): boolean {
  const detach = as(as(node, 'AlterTableStmt')?.cmds?.[0], 'AlterTableCmd')?.def;
  return (
    as(node, 'IndexStmt')?.concurrent === true ||
    as(node, 'DropStmt')?.concurrent === true ||
    isConcurrent(as(node, 'ReindexStmt')?.params) ||
    as(detach, 'PartitionCmd')?.concurrent === true
  );
}

/** The name of a statement that can't stand in a transaction, whatever its options. */
function outsideOnly({ node, version }: Step): string | undefined {
  const vacuum = as(node, 'VacuumStmt');
  if (vacuum?.is_vacuumcmd === true) return hasOption(vacuum.options, 'full') ? 'VACUUM FULL' : 'VACUUM';
  const reindex = as(node, 'ReindexStmt');
  if (reindex && !reindex.relation && !isConcurrent(reindex.params)) return 'REINDEX of a schema or database';
  if (as(node, 'CreatedbStmt')) return 'CREATE DATABASE';
  if (as(node, 'DropdbStmt')) return 'DROP DATABASE';
  if (as(node, 'AlterSystemStmt')) return 'ALTER SYSTEM';
  if (as(node, 'CreateTableSpaceStmt')) return 'CREATE TABLESPACE';
  if (as(node, 'DropTableSpaceStmt')) return 'DROP TABLESPACE';
  const cluster = as(node, 'ClusterStmt');
  if (cluster && !cluster.relation) return 'CLUSTER of all tables';
  const value = as(node, 'AlterEnumStmt');
  return value && value.oldVal === undefined && version < 120_000 ? 'ALTER TYPE … ADD VALUE' : undefined;
}

function* enumValues({ node, session }: Step): Generator<Hazard> {
  if (as(node, 'AlterEnumStmt') || session.newEnumValues.size === 0) return;
  for (const { sval } of within(node, 'A_Const')) {
    const type = session.newEnumValues.get(sval?.sval ?? '');
    if (sval?.sval === undefined || type === undefined) continue;
    yield {
      code: 'enum-value-used',
      message: `it fails: the value '${sval.sval}' of ${type} was added in this transaction and can’t be used before COMMIT`,
      why: 'PostgreSQL refuses a value that a rollback would take away again.',
      remedy: 'Add the value in a migration of its own that comes before.',
      rewrite: `-- in a script of its own, before this one\nALTER TYPE ${relationOf(type.split('.')).sql} ADD VALUE '${sval.sval.replaceAll("'", "''")}';`,
    };
    return;
  }
}

/** Slow work, by itself harmless, under a lock that an earlier statement of the transaction took. */
export function* workUnderLock(step: Step): Generator<Hazard> {
  const [held] = step.session.held;
  if (!held || !isWork(step)) return;
  yield {
    code: 'work-under-lock',
    message: `${held.relation} stays locked since line ${held.line} while this runs`,
    why: `${held.mode} is held until COMMIT: all that time ${held.mode === 'AccessExclusiveLock' ? 'nobody can read or write' : 'nobody can write to'} ${held.relation}.`,
    remedy: 'Put it into a script of its own, after the one that locks.',
    rewrite: `-- in a script of its own\n${step.sql};`,
    lock: { relation: held.relation, mode: held.mode },
  };
}

/** One table that is altered by several statements. */
export function* severalAlters(step: Step): Generator<Hazard> {
  const alter = as(step.node, 'AlterTableStmt');
  const [lock] = blockingLocksOf(step);
  const before = step.session.altered.get(lock?.relation ?? '');
  if (!alter || !lock || before === undefined) return;
  yield {
    code: 'several-alters',
    message: `${lock.relation} was altered on line ${before} already`,
    why: 'Each ALTER TABLE waits for the lock by itself, and one that copies the table copies it again.',
    remedy: 'Put the commands into one ALTER TABLE, where they allow it.',
  };
}

/** The enum values that a statement adds, with the type that was there before. */
export function addedEnumValue({ node, catalog }: Step): { readonly value: string; readonly type: string } | undefined {
  const added = as(node, 'AlterEnumStmt');
  const type = relationOf(textsOf(added?.typeName)).name;
  if (added?.newVal === undefined || added.oldVal !== undefined || catalog.newTypes.has(type)) return undefined;
  return { value: added.newVal, type };
}
