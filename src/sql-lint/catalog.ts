import type { AlterTableCmd, ColumnDef, Constraint, CreateStmt, Node } from 'libpg-query';
import { isSmall } from '../postgres/sizes.ts';
import { as, within } from './clauses.ts';
import type { KnownColumn, KnownConstraint, KnownIndex, KnownTable, LintContext } from './context.ts';
import { madeName, quoted, rangeOf, relationOf, textsOf, typeText } from './names.ts';

/** A table as the scripts so far have left it. */
export interface Table {
  name: string;
  kind: KnownTable['kind'];
  /** Made by this script, so that nobody else uses it yet. */
  isNew: boolean;
  /** Whether all of its columns, constraints and indexes are known. */
  isKnown: boolean;
  partitionKey: string | undefined;
  readonly columns: Map<string, KnownColumn>;
  constraints: KnownConstraint[];
  indexes: KnownIndex[];
}

/** The schema as the scripts change it, as far as it is known. */
export class Catalog {
  readonly #tables = new Map<string, Table>();
  readonly #sizes: LintContext['sizes'];
  /** Types that this script made. */
  readonly newTypes = new Set<string>();
  readonly constrainedDomains: Set<string>;

  constructor(context: LintContext) {
    this.#sizes = context.sizes;
    this.constrainedDomains = new Set(context.constrainedDomains);
    for (const [name, known] of context.known ?? []) {
      this.#tables.set(name, {
        name,
        kind: known.kind,
        isNew: false,
        isKnown: true,
        partitionKey: known.partitionKey,
        columns: new Map(Object.entries(known.columns)),
        constraints: [...known.constraints],
        indexes: [...known.indexes],
      });
    }
  }

  /** What an earlier script made may be in use by now. */
  beginScript(): void {
    for (const table of this.#tables.values()) table.isNew = false;
    this.newTypes.clear();
  }

  table(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  isNew(name: string): boolean {
    return this.#tables.get(name)?.isNew === true;
  }

  /** Whether its size is known, and so small that whatever is done to it is soon over. */
  isSmall(name: string): boolean {
    return isSmall(this.#sizes?.get(name));
  }

  tableOfIndex(name: string): Table | undefined {
    for (const table of this.#tables.values()) if (table.indexes.some((index) => index.name === name)) return table;
    return undefined;
  }

  /** Whether a valid CHECK or the column itself already rules out NULL. */
  isNeverNull(table: string, column: string): boolean {
    const known = this.#tables.get(table);
    if (known?.columns.get(column)?.notNull === true) return true;
    const proof = notNull(column);
    return known?.constraints.some(({ valid, definition }) => valid && definition === proof) === true;
  }

  /** Takes in what a statement changes. */
  apply(node: Node): void {
    const create = as(node, 'CreateStmt');
    if (create) this.#create(create);
    const into = as(node, 'CreateTableAsStmt')?.into?.rel ?? as(node, 'SelectStmt')?.intoClause?.rel;
    const asStatement = as(node, 'CreateTableAsStmt');
    if (into) {
      const kind = asStatement?.objtype === 'OBJECT_MATVIEW' ? 'materialized view' : 'table';
      if (asStatement?.if_not_exists !== true) this.#add(rangeOf(into).name, kind, false);
    }
    const alter = as(node, 'AlterTableStmt');
    if (alter?.objtype === 'OBJECT_TABLE') this.#alter(rangeOf(alter.relation).name, alter.cmds ?? []);
    this.#index(node);
    this.#types(node);
    this.#rename(node);
    this.#drop(node);
  }

  #add(name: string, kind: KnownTable['kind'], isKnown: boolean): Table {
    const table: Table = {
      name,
      kind,
      isNew: true,
      isKnown,
      partitionKey: undefined,
      columns: new Map(),
      constraints: [],
      indexes: [],
    };
    this.#tables.set(name, table);
    return table;
  }

  #create(create: CreateStmt): void {
    // It may have been there for long, with rows in it.
    if (create.if_not_exists === true) return;
    const relation = rangeOf(create.relation);
    const isPlain = create.inhRelations === undefined;
    const table = this.#add(relation.name, create.partspec ? 'partitioned table' : 'table', isPlain);
    const key = create.partspec?.partParams?.map((one) => quoted(as(one, 'PartitionElem')?.name ?? '?')).join(', ');
    const strategy = create.partspec?.strategy?.replace('PARTITION_STRATEGY_', '');
    if (strategy !== undefined) table.partitionKey = `${strategy} (${key ?? '?'})`;
    for (const element of create.tableElts ?? []) {
      const [column, constraint] = [as(element, 'ColumnDef'), as(element, 'Constraint')];
      if (column) this.#column(table, column);
      if (constraint) this.#constraint(table, constraint, []);
    }
  }

  #column(table: Table, column: ColumnDef): void {
    const constraints = (column.constraints ?? []).flatMap((node) => as(node, 'Constraint') ?? []);
    const has = (...kinds: readonly string[]): boolean =>
      constraints.some(({ contype }) => contype !== undefined && kinds.includes(contype));
    const type = typeText(column.typeName);
    const isSerial = /^(?:small|big)?serial$/.test(type);
    const name = column.colname ?? '';
    table.columns.set(name, {
      type,
      notNull: isSerial || has('CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY'),
      hasDefault: isSerial || has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'),
    });
    for (const constraint of constraints) this.#constraint(table, constraint, [name]);
  }

  #constraint(table: Table, constraint: Constraint, column: readonly string[]): void {
    const kind = KINDS[constraint.contype ?? ''];
    if (kind === undefined) return;
    const named = [...textsOf(constraint.keys), ...textsOf(constraint.fk_attrs)];
    const columns = named.length > 0 ? named : column;
    const name = constraint.conname ?? constraintName(table.name.split('.').at(-1) ?? '', kind, columns);
    const checked = notNullColumn(constraint.raw_expr);
    table.constraints.push({
      name,
      kind,
      columns,
      valid: constraint.skip_validation !== true,
      ...(checked !== undefined && { definition: notNull(checked) }),
    });
    if (kind !== 'unique' && kind !== 'primary key') return;
    table.indexes = table.indexes.filter((index) => index.name !== constraint.indexname);
    table.indexes.push({ name, unique: true, columns });
    for (const one of kind === 'primary key' ? columns : []) this.#change(table, one, { notNull: true });
  }

  #alter(name: string, commands: readonly Node[]): void {
    const table = this.#tables.get(name) ?? this.#unknown(name);
    for (const node of commands) {
      const command = as(node, 'AlterTableCmd');
      if (command) this.#command(table, command);
    }
  }

  #unknown(name: string): Table {
    const table = this.#add(name, 'table', false);
    table.isNew = false;
    return table;
  }

  #change(table: Table, column: string, change: Partial<KnownColumn>): void {
    const known = table.columns.get(column);
    if (known) table.columns.set(column, { ...known, ...change });
  }

  #command(table: Table, command: AlterTableCmd): void {
    const name = command.name ?? '';
    const [column, constraint] = [as(command.def, 'ColumnDef'), as(command.def, 'Constraint')];
    if (command.subtype === 'AT_AddColumn' && column) this.#column(table, column);
    if (command.subtype === 'AT_AddConstraint' && constraint) this.#constraint(table, constraint, []);
    if (command.subtype === 'AT_DropColumn') table.columns.delete(name);
    if (command.subtype === 'AT_SetNotNull') this.#change(table, name, { notNull: true });
    if (command.subtype === 'AT_DropNotNull') this.#change(table, name, { notNull: false });
    if (command.subtype === 'AT_ColumnDefault') this.#change(table, name, { hasDefault: command.def !== undefined });
    if (command.subtype === 'AT_AlterColumnType') this.#change(table, name, { type: typeText(column?.typeName) });
    if (command.subtype === 'AT_DropConstraint')
      table.constraints = table.constraints.filter((one) => one.name !== name);
    if (command.subtype === 'AT_ValidateConstraint')
      table.constraints = table.constraints.map((one) => (one.name === name ? { ...one, valid: true } : one));
  }

  #index(node: Node): void {
    const index = as(node, 'IndexStmt');
    if (!index) return;
    const { name, bare } = rangeOf(index.relation);
    const table = this.#tables.get(name) ?? this.#unknown(name);
    const params = (index.indexParams ?? []).map((param) => as(param, 'IndexElem')?.name);
    const end = params.indexOf(undefined);
    const columns = (end < 0 ? params : params.slice(0, end)).filter((column) => column !== undefined);
    const indexName = index.idxname ?? madeName(bare, ...columns, 'idx');
    const partial = index.whereClause !== undefined;
    table.indexes.push({ name: indexName, unique: index.unique === true && end < 0, columns, partial });
  }

  #types(node: Node): void {
    const made = [as(node, 'CreateEnumStmt')?.typeName, as(node, 'CompositeTypeStmt')?.typevar?.relname];
    for (const one of made) {
      if (typeof one === 'string') this.newTypes.add(one);
      else if (one) this.newTypes.add(relationOf(textsOf(one)).name);
    }
    const domain = as(node, 'CreateDomainStmt');
    const name = relationOf(textsOf(domain?.domainname)).name;
    if (domain) this.newTypes.add(name);
    const isConstrained = [...within(domain?.constraints, 'Constraint')].some(
      ({ contype }) => contype === 'CONSTR_CHECK' || contype === 'CONSTR_NOTNULL',
    );
    if (isConstrained) this.constrainedDomains.add(name);
    const altered = as(node, 'AlterDomainStmt');
    if (altered?.subtype === 'C' || altered?.subtype === 'O')
      this.constrainedDomains.add(relationOf(textsOf(altered.typeName)).name);
  }

  #rename(node: Node): void {
    const rename = as(node, 'RenameStmt');
    const table = this.#tables.get(rangeOf(rename?.relation).name);
    if (!rename || !table || rename.newname === undefined) return;
    if (rename.renameType === 'OBJECT_TABLE') {
      this.#tables.delete(table.name);
      table.name = relationOf([...table.name.split('.').slice(0, -1), rename.newname]).name;
      this.#tables.set(table.name, table);
    } else if (rename.renameType === 'OBJECT_COLUMN') {
      const column = table.columns.get(rename.subname ?? '');
      if (column) table.columns.set(rename.newname, column);
      table.columns.delete(rename.subname ?? '');
    }
  }

  #drop(node: Node): void {
    const drop = as(node, 'DropStmt');
    const names = (drop?.objects ?? []).map((one) => relationOf(textsOf(as(one, 'List')?.items)).name);
    for (const name of names) {
      if (drop?.removeType === 'OBJECT_TABLE') this.#tables.delete(name);
      const table = drop?.removeType === 'OBJECT_INDEX' ? this.tableOfIndex(name) : undefined;
      if (table) table.indexes = table.indexes.filter((index) => index.name !== name);
    }
  }
}

const KINDS: Readonly<Record<string, KnownConstraint['kind'] | undefined>> = {
  CONSTR_CHECK: 'check',
  CONSTR_FOREIGN: 'foreign key',
  CONSTR_PRIMARY: 'primary key',
  CONSTR_UNIQUE: 'unique',
  CONSTR_EXCLUSION: 'exclusion',
};

/** The name that PostgreSQL gives a constraint which has none. */
export function constraintName(table: string, kind: KnownConstraint['kind'], columns: readonly string[]): string {
  const endings = { check: 'check', 'foreign key': 'fkey', unique: 'key', exclusion: 'excl', 'primary key': 'pkey' };
  return kind === 'primary key' ? madeName(table, 'pkey') : madeName(table, ...columns, endings[kind]);
}

/** The column that a CHECK says is never NULL, where that is all it says. */
export function notNullColumn(expression: Node | undefined): string | undefined {
  const test = as(expression, 'NullTest');
  if (test?.nulltesttype !== 'IS_NOT_NULL') return undefined;
  return textsOf(as(test.arg, 'ColumnRef')?.fields).at(-1);
}

function notNull(column: string): string {
  return `CHECK ((${quoted(column)} IS NOT NULL))`;
}
