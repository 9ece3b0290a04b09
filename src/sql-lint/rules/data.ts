import type { DeleteStmt, UpdateStmt } from 'libpg-query';
import { someOf } from '../alterations.ts';
import { isBounded } from '../bounded.ts';
import { as, tokensOf, within } from '../clauses.ts';
import { quoted, rangeOf, textsOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { volatileCall } from '../volatility.ts';
import { characterAtByte } from '../../sql/lines.ts';

/** Rows that are changed or thrown away. */
export function* data(step: Step): Generator<Hazard> {
  yield* truncated(step);
  const [update, remove] = [as(step.node, 'UpdateStmt'), as(step.node, 'DeleteStmt')];
  if (update) yield* changed(step, update, 'update');
  if (remove) yield* changed(step, remove, 'delete');
  // Those of a WITH change rows just as well.
  const clause = (update ?? remove ?? as(step.node, 'SelectStmt') ?? as(step.node, 'InsertStmt'))?.withClause;
  for (const node of clause?.ctes ?? []) {
    const inner = as(node, 'CommonTableExpr');
    const [update, remove] = [as(inner?.ctequery, 'UpdateStmt'), as(inner?.ctequery, 'DeleteStmt')];
    if (update) yield* changed(step, update, 'update', true);
    if (remove) yield* changed(step, remove, 'delete', true);
  }
}

function* truncated(step: Step): Generator<Hazard> {
  const truncate = as(step.node, 'TruncateStmt');
  if (!truncate) return;
  const tables = (truncate.relations ?? []).map((node) => rangeOf(as(node, 'RangeVar')));
  const used = tables.filter(({ name }) => !step.catalog.isNew(name));
  const cascades = truncate.behavior === 'DROP_CASCADE';
  for (const { name, sql } of used) {
    yield {
      code: cascades ? 'truncate-cascade' : 'truncate',
      message: `${name} is emptied${cascades ? ', and every table with a foreign key to it' : ''}; the running version finds nothing in it`,
      why: 'The data is gone, and all queries wait until those before them are done.',
      remedy: 'Delete what has to go, in steps.',
      // What refers to it has to go first, which one statement does not do.
      ...(!cascades &&
        tables.length === 1 && {
          rewrite: `-- Run it again, outside a transaction, until it deletes no row:\nDELETE FROM ${sql} WHERE ${someOf(sql, '')};`,
        }),
      lock: { relation: name, mode: 'AccessExclusiveLock' },
    };
  }
}

function* changed(
  step: Step,
  statement: UpdateStmt | DeleteStmt,
  what: 'update' | 'delete',
  isInner = false,
): Generator<Hazard> {
  const table = rangeOf(statement.relation);
  if (step.catalog.isNew(table.name)) return;
  const where = statement.whereClause;
  const always = as(where, 'A_Const')?.boolval?.boolval === true;
  if (where !== undefined && !always && isBounded(where, table.name, step.catalog)) return;
  const isAll = (where === undefined || always) && joined(statement) === undefined;
  yield {
    code: isAll ? `${what}-all-rows` : `${what}-unbatched`,
    message: isAll
      ? `all rows of ${table.name} are ${what}d at once`
      : `nothing limits how many rows of ${table.name} are ${what}d at once`,
    table: table.name,
    why: 'Each row stays locked until the last one is done: whoever writes to one waits, replicas lag, and vacuum has to clean up.',
    remedy: `${what === 'update' ? 'Update' : 'Delete'} in steps of some thousand rows, each in a transaction of its own.`,
    ...(!isInner && rewritten(step.sql, table.sql, statement, what)),
  };
}

function joined(statement: UpdateStmt | DeleteStmt): unknown {
  return (
    ('fromClause' in statement ? statement.fromClause : undefined) ??
    ('usingClause' in statement ? statement.usingClause : undefined)
  );
}

/** The statement for some thousand rows at a time; none where it joins other tables. */
function rewritten(
  sql: string,
  table: string,
  statement: UpdateStmt | DeleteStmt,
  what: 'update' | 'delete',
): { readonly rewrite?: string } {
  if (joined(statement) !== undefined || statement.withClause || statement.relation?.alias) return {};
  const tokens = [...tokensOf(sql)].filter(({ depth }) => depth === 0);
  const where = tokens.find(({ text }) => /^where$/i.test(text));
  const returning = tokens.find(({ text }) => /^returning$/i.test(text));
  const written = where ? sql.slice(where.at + 5, returning?.at).trim() : '';
  const head = sql.slice(0, where?.at ?? returning?.at).trim();
  const changes = 'targetList' in statement ? changesOf(head, statement) : '';
  if (changes === undefined) return {};
  const own = written === '' ? [] : [/\bor\b/i.test(written) ? `(${written})` : written];
  const condition = [...own, ...(changes === '' ? [] : [changes])].join(' AND ');
  return {
    rewrite: `-- Run it again, outside a transaction, until it ${what}s no row:
${head} WHERE ${condition === '' ? '' : `${condition} AND `}${someOf(table, condition)};`,
  };
}

/**
 * The condition that a row still has to be changed: without it, the same rows are found again for ever. Undefined where
 * a second run would change them once more.
 */
function changesOf(head: string, { targetList, relation }: UpdateStmt): string | undefined {
  const tokens = [...tokensOf(head)].filter(({ depth }) => depth === 0);
  const set = tokens.find(({ text, at }) => /^set$/i.test(text) && at > characterAtByte(head, relation?.location ?? 0));
  if (!set) return undefined;
  const commas = tokens.filter(({ text, at }) => text === ',' && at > set.at).map(({ at }) => at);
  const parts = [set.at + 3, ...commas.map((at) => at + 1)].map((from, at) => head.slice(from, commas[at]).trim());
  const targets = (targetList ?? []).map((node) => as(node, 'ResTarget'));
  if (parts.length !== targets.length) return undefined;
  const conditions = parts.map((part, at) => {
    const [target, value] = [targets[at], /^[^=]*=([^]*)$/.exec(part)?.[1]?.trim()];
    const column = target?.name;
    if (!target?.val || column === undefined || value === undefined || volatileCall(target.val) !== undefined)
      return undefined;
    const isOfItself = [...within(target.val, 'ColumnRef')].some(({ fields }) => textsOf(fields).at(-1) === column);
    return isOfItself ? undefined : `${quoted(column)} IS DISTINCT FROM ${value}`;
  });
  if (!conditions.every((condition) => condition !== undefined)) return undefined;
  return conditions.length === 1 ? conditions[0] : `(${conditions.join(' OR ')})`;
}
