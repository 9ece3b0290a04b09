import type { Alteration } from '../mysql-sql/alteration.ts';
import { type Table, isIndexed } from './catalog.ts';
import type { Column } from '../mysql-sql/column.ts';
import { type Effect, type Server, hasVirtual, since, worst } from './way.ts';

const at = (way: Effect['way'], isSure = true): Effect => ({ way, waits: way === 'copy' ? 'writes' : 'none', isSure });
/** Bytes of the longest character. */
const WIDTH: Readonly<Record<string, number>> = { utf8mb4: 4, utf8mb3: 3, ucs2: 2, utf16: 4, utf32: 4 };

/** What MODIFY or CHANGE does, by what the column was before. */
export function columnEffect(
  { name, column, isPlaced }: Extract<Alteration, { do: 'modify column' }>,
  table: Table | undefined,
  server: Server,
): Effect {
  const before = table?.columns.get(name.toLowerCase());
  // As nobody knows what it was, it may be anything.
  if (before === undefined || table === undefined) return at('copy', false);
  const isMaria = server.flavour === 'MariaDB';
  const effects: Effect[] = [at(isMaria || since(server, 80_000) ? 'instant' : 'nocopy')];
  if (isPlaced)
    effects.push(at(isMaria && since(server, 100_400) && !movesVirtual(table, before) ? 'instant' : 'rebuild'));
  if (before.name !== column.name) effects.push(at(isMaria || since(server, 80_028) ? 'instant' : 'nocopy'));
  if (before.notNull !== column.notNull) effects.push(at('rebuild'));
  if (before.autoIncrement !== column.autoIncrement || before.generated !== column.generated) effects.push(at('copy'));
  effects.push(typeEffect(before, column, table, server), charsetEffect(before, column, table, server));
  return worst(effects);
}

function movesVirtual(table: Table, before: Column): boolean {
  return hasVirtual(table) && before.generated !== undefined;
}

function typeEffect(before: Column, after: Column, table: Table, server: Server): Effect {
  if (before.type === after.type && before.unsigned === after.unsigned) {
    if (before.type === 'enum' || before.type === 'set') return valuesEffect(before.type, before.args, after.args);
    if (before.args.join(',') === after.args.join(',')) return at('instant');
    if (before.type === 'varchar' || before.type === 'varbinary') return lengthEffect(before, after, table, server);
  }
  return at('copy');
}

/** Values that are added at the end need nothing, as long as a value's number still fits into its bytes. */
export function valuesEffect(type: 'enum' | 'set', before: readonly string[], after: readonly string[]): Effect {
  const isLonger = before.every((value, index) => after[index] === value);
  const bytes = (count: number): number => {
    if (type === 'enum') return count < 256 ? 1 : 2;
    const whole = Math.ceil(count / 8);
    return whole > 4 ? 8 : whole;
  };
  return at(isLonger && bytes(before.length) === bytes(after.length) ? 'instant' : 'copy');
}

/** Up to 255 bytes a length takes one byte in each row, above two. */
function lengthEffect(before: Column, after: Column, table: Table, server: Server): Effect {
  const [from, to] = [Number(before.args[0]), Number(after.args[0])];
  if (to < from) return at('copy');
  if (server.flavour === 'MariaDB' && since(server, 100_403)) return at('instant');
  const charset = before.charset ?? table.charset;
  const width = before.type === 'varbinary' ? 1 : (WIDTH[charset ?? 'utf8mb4'] ?? 1);
  const crosses = from * width < 256 && to * width > 255;
  return at(crosses ? 'copy' : 'nocopy', charset !== undefined || !crosses);
}

function charsetEffect(before: Column, after: Column, table: Table, server: Server): Effect {
  if (!/char|text|enum|set/.test(before.type)) return at('instant');
  const was = before.charset ?? table.charset;
  const is = after.charset ?? (after.collate === undefined ? table.charset : after.collate.split('_')[0]);
  const collation = (column: Column): string | undefined =>
    column.collate ?? (column.charset === table.charset ? table.collate : undefined);
  const isSameCollation = collation(before) === collation(after);
  if (was === is && isSameCollation) return at('instant');
  const isSure = was !== undefined && is !== undefined;
  const isMaria = server.flavour === 'MariaDB' && since(server, 100_403);
  const grows = was === is || (was === 'utf8mb3' && is === 'utf8mb4');
  // MariaDB takes a character set that holds the old one as it is, where no index is sorted by it.
  if (isMaria && grows) return at(isIndexed(table, before.name) ? 'nocopy' : 'instant', isSure);
  return at('copy', isSure);
}
