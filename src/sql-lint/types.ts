/** A type with its modifiers: `varchar(20)` is `varchar` with `[20]`. */
interface Type {
  readonly name: string;
  readonly modifiers: readonly number[];
}

// What format_type and people write, to what the parser calls it.
const NAMES: Readonly<Record<string, string>> = {
  'character varying': 'varchar',
  character: 'bpchar',
  char: 'bpchar',
  integer: 'int4',
  int: 'int4',
  bigint: 'int8',
  smallint: 'int2',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  decimal: 'numeric',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
  'bit varying': 'varbit',
};

function typeOf(text: string): Type {
  // The modifier of `timestamp(3) with time zone` stands inside.
  const [, , modifiers] = /^([^(]*)\(([^)]*)\)/.exec(text) ?? [];
  const name = text
    .replace(/\([^)]*\)/, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toLowerCase();
  return { name: NAMES[name] ?? name, modifiers: (modifiers ?? '').split(',').filter(Boolean).map(Number) };
}

/** How a change of a column's type goes: without touching a row, with a new table, or as nobody knows. */
export type TypeChange = 'nothing' | 'rewrite';

/** Whether PostgreSQL has to write the table anew for another type of a column (tablecmds.c, ATColumnChangeRequiresRewrite). */
export function typeChange(from: string, to: string): TypeChange {
  const [old, wanted] = [typeOf(from), typeOf(to)];
  if (old.name === wanted.name) return wider(old, wanted) ? 'nothing' : 'rewrite';
  const isText = (type: Type): boolean => type.name === 'text' || type.name === 'varchar';
  if (isText(old) && isText(wanted) && wanted.modifiers.length === 0) return 'nothing';
  if (old.name === 'cidr' && wanted.name === 'inet') return 'nothing';
  return 'rewrite';
}

/** Whether each value of a type fits into the same type with other modifiers as it is. */
function wider(old: Type, wanted: Type): boolean {
  const [[oldSize, oldScale = 0], [size, scale = 0]] = [old.modifiers, wanted.modifiers];
  if (oldSize === size && oldScale === scale) return true;
  switch (old.name) {
    case 'varchar':
    case 'varbit':
      return size === undefined || (oldSize !== undefined && size >= oldSize);
    case 'numeric':
      return size === undefined || (oldSize !== undefined && size >= oldSize && scale === oldScale);
    case 'timestamp':
    case 'timestamptz':
    case 'time':
    case 'timetz':
    case 'interval':
      // Six digits are all there are.
      return (size ?? 6) >= (oldSize ?? 6);
    default:
      return false;
  }
}

/** Whether what a version wrote for the old type no longer fits the new one: numbers to text and the like. */
export function breaksUse(from: string, to: string): boolean {
  const [old, wanted] = [kindOf(typeOf(from).name), kindOf(typeOf(to).name)];
  return old !== wanted;
}

function kindOf(name: string): string {
  if (/^(?:int[248]|float[48]|numeric|money)$/.test(name)) return 'number';
  if (/^(?:text|varchar|bpchar|citext|name)$/.test(name)) return 'text';
  if (/^(?:date|timestamp|timestamptz)$/.test(name)) return 'time';
  if (/^(?:inet|cidr)$/.test(name)) return 'network';
  return name;
}
