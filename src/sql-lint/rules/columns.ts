import type { ColumnDef } from 'libpg-query';
import { type Alteration, alterationsOf, fillInBatches } from '../alterations.ts';
import { as, clausesOf, within } from '../clauses.ts';
import { characterAtByte } from '../../sql/lines.ts';
import { madeName, quoted, typeText } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { volatileCall } from '../volatility.ts';
import { constraintAdded, unnamed } from './constraints.ts';

/** A column that is added, in pieces. */
interface Column extends Pick<Alteration, 'relation' | 'alter'> {
  readonly name: string;
  readonly type: string;
  /** `carrier_id integer`. */
  readonly head: string;
  readonly clauses: ReturnType<typeof clausesOf>['clauses'];
}

/** Columns that are added to a table which has rows. */
export function* columns(step: Step): Generator<Hazard> {
  for (const alteration of alterationsOf(step)) {
    const definition = as(alteration.command.def, 'ColumnDef');
    if (alteration.command.subtype !== 'AT_AddColumn' || !definition) continue;
    yield* added(step, alteration, definition);
  }
}

function* added(step: Step, alteration: Alteration, definition: ColumnDef): Generator<Hazard> {
  const { relation, alter } = alteration;
  const column: Column = {
    relation,
    alter,
    name: definition.colname ?? '',
    type: typeText(definition.typeName),
    ...clausesOf(step.sql, definition, endOf(step.sql, alteration.text, definition)),
  };
  const has = (kind: string): boolean => column.clauses.some(({ node }) => as(node, 'Constraint')?.contype === kind);
  const rewrite = [...filled(step, column, has)];
  yield* rewrite;
  if (column.type === 'json') yield json(column);
  const isNeverEmpty = has('CONSTR_NOTNULL') || has('CONSTR_PRIMARY');
  const isFilled =
    has('CONSTR_DEFAULT') || has('CONSTR_IDENTITY') || has('CONSTR_GENERATED') || isSerial(column) !== undefined;
  if (isNeverEmpty && !isFilled) yield notNull(column);
  for (const { node, sql } of column.clauses) {
    const constraint = as(node, 'Constraint');
    if (!constraint) continue;
    // A foreign key of a new column that is NULL in all rows has nothing to look up.
    const isScan = constraint.contype !== 'CONSTR_FOREIGN' || has('CONSTR_DEFAULT');
    const body =
      constraint.contype === 'CONSTR_FOREIGN' ? `FOREIGN KEY (${quoted(column.name)}) ${unnamed(sql)}` : unnamed(sql);
    const before = addWithout(column, [constraint.contype ?? '']);
    const shown = isScan ? constraint : { ...constraint, skip_validation: true };
    for (const hazard of constraintAdded(step, alteration, {
      constraint: shown,
      columns: [column.name],
      body,
      before,
    })) {
      // Its steps would begin with the column as it is, which blocks by itself.
      const { rewrite: _, ...bare } = hazard;
      yield rewrite.length > 0 ? bare : hazard;
    }
  }
}

/** What fills the column, where that writes the whole table anew. */
function* filled(step: Step, column: Column, has: (kind: string) => boolean): Generator<Hazard> {
  const base = isSerial(column);
  if (base !== undefined || has('CONSTR_IDENTITY')) {
    yield rewrites(column, 'column-serial', 'each row gets a number of its own', serialSteps(column, base));
    return;
  }
  const constraints = column.clauses.flatMap(({ node }) => as(node, 'Constraint') ?? []);
  const generated = constraints.find(({ contype }) => contype === 'CONSTR_GENERATED');
  if (generated && generated.generated_kind !== 'v') {
    yield rewrites(column, 'column-generated', 'it is computed for each row', generatedSteps(step.sql, column));
    return;
  }
  const fallback = column.clauses.find(({ node }) => as(node, 'Constraint')?.contype === 'CONSTR_DEFAULT');
  const value = as(fallback?.node, 'Constraint')?.raw_expr;
  if (value && fallback) {
    const call = volatileCall(value);
    const expression = fallback.sql.replace(/^default\s+/i, '');
    const steps = defaultSteps(column, expression);
    if (call !== undefined) yield rewrites(column, 'column-volatile-default', `${call} differs by row`, steps);
    else if (step.version < 110_000 && !as(value, 'A_Const')?.isnull)
      yield rewrites(
        column,
        'column-default-rewrites',
        'before PostgreSQL 11 each default is written to all rows',
        steps,
      );
  }
  if (step.catalog.constrainedDomains.has(column.type)) {
    yield rewrites(column, 'column-constrained-domain', 'the constraints of its domain are checked on each row');
  }
}

function rewrites(column: Column, code: Hazard['code'], because: string, rewrite?: string): Hazard {
  return {
    code,
    message: `nobody can read or write ${column.relation.name} while all of it is written anew for ${column.name}`,
    why: `The table and all its indexes are copied under AccessExclusiveLock, since ${because}.`,
    remedy:
      rewrite === undefined
        ? 'Give the column the type below the domain, and add the constraint as CHECK … NOT VALID.'
        : 'Add the column empty, let new rows be filled, and fill the old ones in steps.',
    ...(rewrite !== undefined && { rewrite }),
    lock: { relation: column.relation.name, mode: 'AccessExclusiveLock' },
  };
}

function json(column: Column): Hazard {
  return {
    code: 'column-json',
    message: `queries of ${column.relation.name} with DISTINCT, UNION or GROUP BY over all columns fail with a json column`,
    why: 'The type json has no equality; jsonb has, and can be indexed.',
    remedy: 'Use jsonb.',
    rewrite: `${column.alter} ADD COLUMN ${quoted(column.name)} jsonb${column.clauses.map(({ sql }) => ` ${sql}`).join('')};`,
  };
}

function notNull(column: Column): Hazard {
  const name = quoted(column.name);
  return {
    code: 'column-not-null-without-default',
    message: `${column.name} can't be added to ${column.relation.name} once that has a row`,
    why: 'The rows that are there would have NULL in it; on an empty table, the running version can insert nothing more.',
    remedy: 'Give it a default, or add it without NOT NULL and make it so once all rows are filled.',
    rewrite: `${addWithout(column, ['CONSTR_NOTNULL', 'CONSTR_PRIMARY'])}
-- Once the running version fills it and old rows are filled too, in a later migration:
-- ${column.alter} ADD CONSTRAINT ${quoted(madeName(column.relation.bare, column.name, 'not_null'))} CHECK (${name} IS NOT NULL) NOT VALID;`,
    lock: { relation: column.relation.name, mode: 'AccessExclusiveLock' },
  };
}

/** The type below a serial one. */
function isSerial({ type }: Pick<Column, 'type'>): string | undefined {
  const [, size] = /^(small|big|)serial([248])?$/.exec(type) ?? [];
  if (size === undefined) return undefined;
  if (size === 'big' || type === 'serial8') return 'bigint';
  return size === 'small' || type === 'serial2' ? 'smallint' : 'integer';
}

function serialSteps(column: Column, base: string | undefined): string {
  const { relation, alter } = column;
  const name = quoted(column.name);
  const sequence = quoted(madeName(relation.bare, column.name, 'seq'));
  const head = base === undefined ? column.head : `${name} ${base}`;
  return `CREATE SEQUENCE ${sequence};
${alter} ADD COLUMN ${head};
ALTER SEQUENCE ${sequence} OWNED BY ${relation.sql}.${name};
${alter} ALTER COLUMN ${name} SET DEFAULT nextval('${sequence}');
${fillInBatches(relation, `${name} = nextval('${sequence}')`, `${name} IS NULL`)}`;
}

function defaultSteps(column: Column, expression: string): string {
  const name = quoted(column.name);
  return `${addWithout(column, ['CONSTR_DEFAULT', 'CONSTR_NOTNULL'])}
${column.alter} ALTER COLUMN ${name} SET DEFAULT ${expression};
${fillInBatches(column.relation, `${name} = ${expression}`, `${name} IS NULL`)}`;
}

/** A trigger computes for new rows what the column would; its columns are named by NEW. */
function generatedSteps(sql: string, column: Column): string {
  const clause = column.clauses.find(({ node }) => as(node, 'Constraint')?.contype === 'CONSTR_GENERATED');
  const expression = as(clause?.node, 'Constraint')?.raw_expr;
  const places = [...within(expression, 'ColumnRef')].map(({ location = 0 }) => characterAtByte(sql, location));
  const from = sql.indexOf(clause?.sql ?? '', 0);
  let ofNew = clause?.sql ?? '';
  for (const at of places.toSorted((a, b) => b - a))
    ofNew = `${ofNew.slice(0, at - from)}NEW.${ofNew.slice(at - from)}`;
  const bare = (text: string): string => /\(([^]*)\)\s*(?:stored)?\s*$/i.exec(text)?.[1]?.trim() ?? '…';
  const [name, made] = [quoted(column.name), quoted(madeName(column.relation.bare, column.name, 'fill'))];
  return `${column.alter} ADD COLUMN ${column.head};
CREATE FUNCTION ${made}() RETURNS trigger LANGUAGE plpgsql AS $fill$
BEGIN
  NEW.${name} := ${bare(ofNew)};
  RETURN NEW;
END $fill$;
CREATE TRIGGER ${made} BEFORE INSERT OR UPDATE ON ${column.relation.sql} FOR EACH ROW EXECUTE FUNCTION ${made}();
${fillInBatches(column.relation, `${name} = ${bare(clause?.sql ?? '')}`, `${name} IS NULL AND (${bare(clause?.sql ?? '')}) IS NOT NULL`)}`;
}

/** Adds the column without some of its clauses. */
function addWithout(column: Column, kinds: readonly string[]): string {
  const kept = column.clauses.filter(({ node }) => !kinds.includes(as(node, 'Constraint')?.contype ?? ''));
  return `${column.alter} ADD COLUMN ${[column.head, ...kept.map(({ sql }) => sql)].join(' ')};`;
}

/** Where the column's definition ends in the statement: with its command. */
function endOf(sql: string, command: string, definition: ColumnDef): number {
  const start = characterAtByte(sql, definition.location ?? 0);
  const at = command === '' ? -1 : sql.lastIndexOf(command, start);
  return at < 0 ? sql.length : at + command.length;
}
