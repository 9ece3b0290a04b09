import type { Node, PartitionBoundSpec } from 'libpg-query';
import { alterationsOf } from '../alterations.ts';
import type { Table } from '../catalog.ts';
import { as, tokensOf } from '../clauses.ts';
import { madeName, quoted, rangeOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';

/** Partitions: attached, detached, made in place. */
export function* partitions(step: Step): Generator<Hazard> {
  for (const { relation, table, command, alter, text } of alterationsOf(step)) {
    const partition = as(command.def, 'PartitionCmd');
    const child = rangeOf(partition?.name);
    if (command.subtype === 'AT_AttachPartition' && !step.catalog.isNew(child.name)) {
      if (hasCheck(step.catalog.table(child.name), table?.partitionKey)) continue;
      const check = boundCheck(table?.partitionKey, partition?.bound);
      const name = quoted(madeName(child.bare, 'bound'));
      yield {
        code: 'partition-attach-scans',
        message: `nobody can read or write ${child.name} while all its rows are checked against the bounds`,
        why: 'Without a CHECK that says the same, each row is read under AccessExclusiveLock.',
        remedy: 'Add a CHECK with the bounds first, and validate it: then nothing has to be read.',
        ...(check !== undefined && {
          rewrite: `ALTER TABLE ${child.sql} ADD CONSTRAINT ${name} CHECK (${check}) NOT VALID;
-- each in a transaction of its own:
ALTER TABLE ${child.sql} VALIDATE CONSTRAINT ${name};
${alter} ${text};
ALTER TABLE ${child.sql} DROP CONSTRAINT ${name};`,
        }),
        lock: { relation: child.name, mode: 'AccessExclusiveLock' },
      };
    }
    if (command.subtype === 'AT_DetachPartition' && partition?.concurrent !== true) {
      yield {
        code: 'partition-detach-blocks',
        message: `all queries of ${relation.name} wait while ${child.name} is detached`,
        why: 'It is soon done, but first it waits for every query of the whole table, and all others wait behind it.',
        remedy: 'Detach it CONCURRENTLY, outside a transaction (PostgreSQL 14 and later).',
        ...(step.version >= 140_000 && {
          rewrite: `-- in a script of its own, outside a transaction\n${alter} DETACH PARTITION ${child.sql} CONCURRENTLY;`,
        }),
        lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
      };
    }
  }
  yield* created(step);
}

function* created(step: Step): Generator<Hazard> {
  const create = as(step.node, 'CreateStmt');
  const parent = rangeOf(as(create?.inhRelations?.[0], 'RangeVar'));
  if (create?.partbound === undefined || step.catalog.isNew(parent.name)) return;
  const child = rangeOf(create.relation);
  const bounds = [...tokensOf(step.sql)].findLast(({ text, depth }) => depth === 0 && /^(?:for|default)$/i.test(text));
  const end = [...tokensOf(step.sql)].find(
    ({ text, depth, at }) =>
      depth === 0 && at > (bounds?.at ?? 0) && /^(?:partition|with|tablespace|using)$/i.test(text),
  );
  const spec = bounds ? step.sql.slice(bounds.at, end?.at).trim() : '';
  // WITH is part of the bounds of hash partitions.
  const isPlain = spec !== '' && create.tableElts === undefined && create.partbound.strategy !== 'h';
  yield {
    code: 'partition-created-in-place',
    message: `all queries of ${parent.name} wait while ${child.name} is created in it`,
    why: 'It is soon done, but first it waits for every query of the whole table, and all others wait behind it.',
    remedy: 'Create the table by itself, and attach it, for which the parent stays open.',
    ...(isPlain && {
      rewrite: `CREATE TABLE ${child.sql} (LIKE ${parent.sql} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED);
ALTER TABLE ${parent.sql} ATTACH PARTITION ${child.sql} ${spec};`,
    }),
    lock: { relation: parent.name, mode: 'AccessExclusiveLock' },
  };
}

/** Whether a valid CHECK on the key may already say what the bounds do; the server reads the rows when it does not. */
function hasCheck(child: Table | undefined, key: string | undefined): boolean {
  const [column] = columnsOf(key);
  return (
    child?.constraints.some(
      ({ kind, valid, columns, definition }) =>
        kind === 'check' &&
        valid &&
        (column === undefined || columns.length === 0 || columns.includes(column) || definition?.includes(column)),
    ) === true
  );
}

function columnsOf(key: string | undefined): readonly string[] {
  const [, list = ''] = /\(([^()]*)\)$/.exec(key ?? '') ?? [];
  return list === '' ? [] : list.split(',').map((one) => one.trim());
}

/** The bounds of a partition as a condition on the key; undefined for keys and bounds that are not plain. */
function boundCheck(key: string | undefined, bound: PartitionBoundSpec | undefined): string | undefined {
  const columns = columnsOf(key);
  const [column] = columns;
  if (column === undefined || columns.length > 1 || bound === undefined) return undefined;
  if (bound.strategy === 'l') {
    const values = (bound.listdatums ?? []).map(constant);
    if (!values.every((value) => value !== undefined)) return undefined;
    return `${column} IS NOT NULL AND ${column} IN (${values.join(', ')})`;
  }
  if (bound.strategy !== 'r') return undefined;
  const sides = [
    ['>=', bound.lowerdatums?.[0]],
    ['<', bound.upperdatums?.[0]],
  ] as const;
  const conditions = sides.flatMap(([operator, value]) => {
    if (as(value, 'ColumnRef')) return [];
    const text = value && constant(value);
    return [text === undefined ? undefined : `${column} ${operator} ${text}`];
  });
  if (!conditions.every((condition) => condition !== undefined)) return undefined;
  return [`${column} IS NOT NULL`, ...conditions].join(' AND ');
}

function constant(node: Node): string | undefined {
  const value = as(node, 'A_Const');
  if (value?.sval) return `'${(value.sval.sval ?? '').replaceAll("'", "''")}'`;
  if (value?.ival) return String(value.ival.ival ?? 0);
  return value?.fval?.fval;
}
