import type { Constraint } from 'libpg-query';
import { type Alteration, alterationsOf } from '../alterations.ts';
import { constraintName, notNullColumn } from '../catalog.ts';
import { as, tokensOf } from '../clauses.ts';
import { quoted, rangeOf, relationOf, textsOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { indexName } from './indexes.ts';

const OWN = '-- in a transaction of its own, after the first was committed:';

/** Constraints that are added to a table which has rows, and what makes columns NOT NULL. */
export function* constraints(step: Step): Generator<Hazard> {
  const alterations = alterationsOf(step);
  for (const one of alterations) {
    const { subtype, def } = one.command;
    const constraint = as(def, 'Constraint');
    if (subtype === 'AT_AddConstraint' && constraint) {
      const columns = [...textsOf(constraint.keys), ...textsOf(constraint.fk_attrs)];
      yield* constraintAdded(step, one, { constraint, columns, body: bodyOf(one.text) });
    }
    if (subtype === 'AT_SetNotNull') yield* setNotNull(step, one);
    if (subtype === 'AT_ValidateConstraint') yield* validated(step, one, alterations.length > 1);
  }
  yield* domain(step);
}

/** A constraint of a table, or of a column that is added with it. */
export interface Added {
  readonly constraint: Constraint;
  readonly columns: readonly string[];
  /** `CHECK (weight > 0)`, without its name. */
  readonly body: string;
  /** What has to come before it, such as the column. */
  readonly before?: string;
}

/** What adding a constraint does to a table with rows. */
export function* constraintAdded(step: Step, alteration: Alteration, added: Added): Generator<Hazard> {
  const kind: string = added.constraint.contype ?? '';
  switch (kind) {
    case 'CONSTR_CHECK':
      yield* checkAdded(alteration, added);
      return;
    case 'CONSTR_FOREIGN':
      yield* foreignKeyAdded(step, alteration, added);
      return;
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
      yield* uniqueAdded(step, alteration, added);
      return;
    case 'CONSTR_EXCLUSION':
      yield {
        code: 'exclusion-builds-index',
        message: `nobody can read or write ${alteration.relation.name} while the index of the constraint is built`,
        why: 'An exclusion constraint can neither be NOT VALID nor take an index that was built before.',
        remedy: 'Add it while the table is small, or to a new table that is then filled.',
        lock: { relation: alteration.relation.name, mode: 'AccessExclusiveLock' },
      };
      return;
    default:
  }
}

function* checkAdded({ relation, table, alter }: Alteration, added: Added): Generator<Hazard> {
  const { constraint, body, before } = added;
  const checked = notNullColumn(constraint.raw_expr);
  const columns = added.columns.length > 0 ? added.columns : checked === undefined ? [] : [checked];
  const name = quoted(constraint.conname ?? constraintName(relation.bare, 'check', columns));
  if (checked !== undefined) yield* breaksWriters(relation.name, table?.columns.get(checked), checked);
  if (constraint.skip_validation === true || constraint.is_enforced === false) return;
  yield {
    code: 'check-scans',
    message: `nobody can read or write ${relation.name} while all its rows are checked`,
    why: 'The constraint is checked on every row under AccessExclusiveLock.',
    remedy: 'Add it NOT VALID, which is done in a moment, and validate it in a transaction of its own.',
    ...(body !== '' && { rewrite: `${join(before)}${notValid(alter, name, body)}` }),
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

function* breaksWriters(
  table: string,
  column: { readonly notNull: boolean; readonly hasDefault: boolean } | undefined,
  name: string,
): Generator<Hazard> {
  if (column?.notNull === true || column?.hasDefault === true) return;
  yield {
    code: 'not-null-breaks-writers',
    message: `from now on every new row of ${table} needs ${name}`,
    why: 'NOT VALID spares the rows that are there; a running version that leaves the column empty fails at once.',
    remedy: 'Give the column a default, or add the constraint once every running version fills it.',
    lock: { relation: table, mode: 'AccessExclusiveLock' },
  };
}

function* foreignKeyAdded(step: Step, { relation, table, alter }: Alteration, added: Added): Generator<Hazard> {
  const { constraint, columns, body, before } = added;
  const referenced = rangeOf(constraint.pktable);
  const name = quoted(constraint.conname ?? constraintName(relation.bare, 'foreign key', columns));
  const served = table?.indexes.some((index) => columns.every((column, at) => index.columns[at] === column)) === true;
  if (!served) {
    yield {
      code: 'foreign-key-without-index',
      severity: table?.isKnown === true ? 'warning' : 'notice',
      message: `no index of ${relation.name} that is known begins with ${columns.join(', ')}`,
      why: `Each DELETE from ${referenced.name}, and each change of its key, reads the whole of ${relation.name}.`,
      remedy: 'Build one before.',
      // On a partitioned table the index is only defined; those of the partitions are built one by one.
      rewrite: `${join(before)}CREATE INDEX ${table?.kind === 'partitioned table' ? '' : 'CONCURRENTLY '}${quoted(indexName(relation.bare, columns))} ON ${table?.kind === 'partitioned table' ? 'ONLY ' : ''}${relation.sql} (${columns.map(quoted).join(', ')});`,
    };
  }
  if (constraint.skip_validation === true || constraint.is_enforced === false) return;
  const isPartitioned = table?.kind === 'partitioned table' && step.version < 180_000;
  yield {
    code: 'foreign-key-scans',
    message: `nobody can write to ${relation.name} and ${referenced.name} while all rows are checked`,
    why: `Both tables are locked against writes until each row of ${relation.name} was looked up in ${referenced.name}.`,
    remedy: isPartitioned
      ? 'A partitioned table takes no NOT VALID before PostgreSQL 18: add it so to each partition, and validate it there.'
      : 'Add it NOT VALID, which is done in a moment, and validate it in a transaction of its own.',
    ...(body !== '' && !isPartitioned && { rewrite: `${join(before)}${notValid(alter, name, body)}` }),
    lock: { relation: relation.name, mode: 'ShareRowExclusiveLock' },
  };
}

function* uniqueAdded(step: Step, { relation, table, alter }: Alteration, added: Added): Generator<Hazard> {
  const { constraint, columns, before } = added;
  const isPrimary = constraint.contype === 'CONSTR_PRIMARY';
  if (constraint.indexname !== undefined) {
    yield* primaryKeyScans(step, { relation, table, alter }, constraint);
    return;
  }
  const kind = isPrimary ? 'primary key' : 'unique';
  const name = quoted(constraint.conname ?? constraintName(relation.bare, kind, columns));
  const including = textsOf(constraint.including).map(quoted);
  const index = `CREATE UNIQUE INDEX CONCURRENTLY ${name} ON ${relation.sql} (${columns.map(quoted).join(', ')})${
    including.length > 0 ? ` INCLUDE (${including.join(', ')})` : ''
  }${constraint.nulls_not_distinct === true ? ' NULLS NOT DISTINCT' : ''};`;
  const deferrable = constraint.deferrable === true ? ' DEFERRABLE' : '';
  const deferred = constraint.initdeferred === true ? ' INITIALLY DEFERRED' : '';
  const nullable = isPrimary ? columns.filter((column) => !step.catalog.isNeverNull(relation.name, column)) : [];
  yield {
    code: isPrimary ? 'primary-key-builds-index' : 'unique-builds-index',
    message: `nobody can read or write ${relation.name} while the index of the constraint is built`,
    why: 'The whole table is read and sorted under AccessExclusiveLock.',
    remedy: 'Build the index CONCURRENTLY before, and let the constraint take it over, which is done in a moment.',
    ...(table?.kind !== 'partitioned table' && {
      rewrite: `${join(before)}-- in a script of its own, outside a transaction
${index}
-- then
${nullable.length > 0 && before === undefined ? `${nullable.map((column) => notNullSteps(relation.sql, relation.bare, column)).join('\n')}\n` : ''}${alter} ADD CONSTRAINT ${name} ${kind.toUpperCase()} USING INDEX ${name}${deferrable}${deferred};`,
    }),
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

/** A primary key makes its columns NOT NULL, which reads all rows where nothing rules NULL out. */
function* primaryKeyScans(
  step: Step,
  { relation, table }: Pick<Alteration, 'relation' | 'table' | 'alter'>,
  constraint: Constraint,
): Generator<Hazard> {
  if (constraint.contype !== 'CONSTR_PRIMARY') return;
  const columns = table?.indexes.find(({ name }) => name === constraint.indexname)?.columns ?? [];
  for (const column of columns.filter((one) => !step.catalog.isNeverNull(relation.name, one))) {
    yield setsNotNull(relation, column);
  }
}

function* setNotNull(step: Step, { relation, command }: Alteration): Generator<Hazard> {
  const column = command.name ?? '';
  if (!step.catalog.isNeverNull(relation.name, column)) yield setsNotNull(relation, column);
}

function setsNotNull(relation: Alteration['relation'], column: string): Hazard {
  return {
    code: 'set-not-null-scans',
    message: `nobody can read or write ${relation.name} while all its rows are searched for NULL in ${column}`,
    why: 'All rows are read under AccessExclusiveLock; after that, a version that leaves the column empty fails.',
    remedy: 'Let a validated CHECK rule NULL out first: then nothing has to be read (PostgreSQL 12 and later).',
    rewrite: notNullSteps(relation.sql, relation.bare, column),
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

function notNullSteps(table: string, bare: string, column: string): string {
  const name = quoted(constraintName(bare, 'check', [column, 'not_null']));
  return `${notValid(`ALTER TABLE ${table}`, name, `CHECK (${quoted(column)} IS NOT NULL)`)}
ALTER TABLE ${table} ALTER COLUMN ${quoted(column)} SET NOT NULL;
ALTER TABLE ${table} DROP CONSTRAINT ${name};`;
}

function* validated(step: Step, { relation, command, alter }: Alteration, among: boolean): Generator<Hazard> {
  const held = step.session.held.find((lock) => lock.relation === relation.name);
  if (!among && !held) return;
  const name = quoted(command.name ?? '');
  yield {
    code: 'validated-under-lock',
    message: `all rows of ${relation.name} are checked while ${held ? `the lock of line ${held.line}` : 'the lock of this statement'} is held`,
    why: 'VALIDATE by itself lets everybody read and write; a lock taken before in the transaction stays to its end.',
    remedy: 'Validate it in a transaction of its own.',
    rewrite: `${OWN}\n${alter} VALIDATE CONSTRAINT ${name};`,
    lock: { relation: relation.name, mode: held?.mode ?? 'AccessExclusiveLock' },
  };
}

function* domain(step: Step): Generator<Hazard> {
  const alter = as(step.node, 'AlterDomainStmt');
  const name = relationOf(textsOf(alter?.typeName));
  if (!alter || step.catalog.newTypes.has(name.name)) return;
  const constraint = as(alter.def, 'Constraint');
  const isNotNull = alter.subtype === 'O';
  const isValidated = alter.subtype === 'V';
  if (!isNotNull && !isValidated && (alter.subtype !== 'C' || constraint?.skip_validation === true)) return;
  const body = unnamed(/\badd\b([^]*)$/i.exec(step.sql)?.[1]?.trim() ?? '');
  const made = quoted(constraint?.conname ?? constraintName(name.bare, 'check', []));
  yield {
    code: 'domain-constraint-scans',
    message: `nobody can write to any table with a column of ${name.name} while their rows are checked`,
    why: 'Each table that uses the domain is locked against writes and read from end to end; to VALIDATE later does the same.',
    remedy: isValidated
      ? 'Leave it NOT VALID, which holds for all new values, or agree on a pause.'
      : 'Add it NOT VALID: then it holds for all new values, and no row is read.',
    ...(!isValidated && {
      rewrite: `ALTER DOMAIN ${name.sql} ADD CONSTRAINT ${made} ${isNotNull ? 'CHECK (VALUE IS NOT NULL)' : body} NOT VALID;`,
    }),
  };
}

function notValid(alter: string, name: string, body: string): string {
  return `${alter} ADD CONSTRAINT ${name} ${body} NOT VALID;\n${OWN}\n${alter} VALIDATE CONSTRAINT ${name};`;
}

function join(before: string | undefined): string {
  return before === undefined ? '' : `${before}\n`;
}

/** The constraint of `ADD CONSTRAINT name CHECK (…)` without what comes before. */
function bodyOf(command: string): string {
  return unnamed(command.replace(/^add\s+/i, ''));
}

/** A constraint's text without its name. */
export function unnamed(clause: string): string {
  const [first, , third] = tokensOf(clause);
  return first !== undefined && /^constraint$/i.test(first.text) && third ? clause.slice(third.at) : clause;
}
