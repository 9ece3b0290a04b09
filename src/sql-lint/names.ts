import type { Node, RangeVar, TypeName } from 'libpg-query';

/** A relation as a statement names it. */
export interface Relation {
  /** To compare and to show: without schema where that is `public`, else `billing.invoices`. */
  readonly name: string;
  /** To put into SQL, quoted where needed, with the schema where the statement gave one. */
  readonly sql: string;
  /** Without its schema, to make other names of. */
  readonly bare: string;
}

// What PostgreSQL reserves, or takes for something else where a name may stand (manual, appendix C).
const KEYWORDS = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between binary both case cast check collate
  collation column concurrently constraint create cross current_catalog current_date current_role current_schema
  current_time current_timestamp current_user default deferrable desc distinct do else end except exists false fetch
  for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading
  left like limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing
  position precision primary references returning right row select session_user setof similar some substring symmetric
  system_user table tablesample then time timestamp to trailing trim true union unique user using values variadic
  verbose when where window with`.split(/\s+/),
);

/** A name as it may stand in SQL. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !KEYWORDS.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A text as a string of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The relation of its parts, such as `['billing', 'invoices']`. */
export function relationOf(parts: readonly string[]): Relation {
  const bare = parts.at(-1) ?? '';
  const schema = parts.at(-2);
  const name = schema === undefined || schema === 'public' ? bare : `${schema}.${bare}`;
  return { name, sql: parts.map(quoted).join('.'), bare };
}

export function rangeOf(range: RangeVar | undefined): Relation {
  return relationOf([range?.schemaname, range?.relname].filter((part) => part !== undefined));
}

/** The texts of a list of names; what is no text is left out. */
export function textsOf(nodes: readonly Node[] | undefined): readonly string[] {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
}

/** The type as PostgreSQL's parser names it, with its modifiers: `varchar(20)`, `int4`, `text[]`. */
export function typeText(type: TypeName | undefined): string {
  const names = textsOf(type?.names).filter((name) => name !== 'pg_catalog');
  const mods = (type?.typmods ?? []).map((node) => ('A_Const' in node ? String(node.A_Const.ival?.ival ?? 0) : '?'));
  return `${names.join('.')}${mods.length > 0 ? `(${mods.join(',')})` : ''}${type?.arrayBounds ? '[]' : ''}`;
}

/** A name of at most 63 bytes made of parts, as PostgreSQL makes those of constraints: `shipments_carrier_id_fkey`. */
export function madeName(...parts: readonly string[]): string {
  const name = parts.filter((part) => part !== '').join('_');
  return Buffer.byteLength(name) <= 63 ? name : name.slice(0, 15) + name.slice(-30).replace(/^_*/, '_');
}
