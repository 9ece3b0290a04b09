import type { Node } from 'libpg-query';
import type { Catalog } from './catalog.ts';
import { as } from './clauses.ts';
import { textsOf } from './names.ts';

/** Rows that may be changed at once without anybody noticing. */
const FEW = 10_000;
/** Names that mostly stand for one row, where the schema is not known. */
const KEYS = /^(?:id|uuid|guid|key|code|slug|name|email|\w+_(?:key|code|uuid|slug))$/;

/** Whether a condition can hold for few rows only: a key with constants, or a subquery with LIMIT. */
export function isBounded(where: Node | undefined, table: string, catalog: Catalog): boolean {
  if (where === undefined) return false;
  const both = as(where, 'BoolExpr');
  if (both?.boolop === 'AND_EXPR') return (both.args ?? []).some((arg) => isBounded(arg, table, catalog));
  if (both?.boolop === 'OR_EXPR') return (both.args ?? []).every((arg) => isBounded(arg, table, catalog));
  const limited = as(as(where, 'SubLink')?.subselect, 'SelectStmt') ?? limitedArray(where);
  if (limited) {
    const limit = as(limited.limitCount, 'A_Const')?.ival?.ival;
    return limit !== undefined && limit <= FEW;
  }
  const comparison = as(where, 'A_Expr');
  const column = textsOf(as(comparison?.lexpr, 'ColumnRef')?.fields).at(-1);
  if (!comparison || column === undefined) return false;
  const isEqual = textsOf(comparison.name)[0] === '=';
  if (comparison.kind === 'AEXPR_OP' && isEqual) return isConstant(comparison.rexpr) && isKey(column, table, catalog);
  const items = as(comparison.rexpr, 'List')?.items ?? [];
  if (comparison.kind === 'AEXPR_IN' && isEqual)
    return items.length <= FEW && items.every(isConstant) && isKey(column, table, catalog);
  if (comparison.kind !== 'AEXPR_BETWEEN') return false;
  const [from, to] = items
    .map((item) => as(item, 'A_Const'))
    .map((one) => one && (one.ival?.ival ?? (one.ival ? 0 : undefined)));
  return from !== undefined && to !== undefined && to - from <= FEW && isKey(column, table, catalog);
}

/** `ctid = ANY (ARRAY(SELECT … LIMIT n))`, the form that updates in steps. */
function limitedArray(where: Node): ReturnType<typeof as<'SelectStmt'>> {
  const any = as(where, 'A_Expr');
  if (any?.kind !== 'AEXPR_OP_ANY') return undefined;
  return as(as(any.rexpr, 'SubLink')?.subselect, 'SelectStmt');
}

function isConstant(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  return as(cast ? cast.arg : node, 'A_Const') !== undefined || as(node, 'ParamRef') !== undefined;
}

/** Whether a column has each value at most once. */
function isKey(column: string, name: string, catalog: Catalog): boolean {
  const table = catalog.table(name);
  if (table?.isKnown !== true) return KEYS.test(column);
  return table.indexes.some(({ unique, columns }) => unique && columns.length === 1 && columns[0] === column);
}
