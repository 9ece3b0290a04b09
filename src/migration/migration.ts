/** SQL as it stands in a file, and how its tool runs it. */
export interface Script {
  /** Path from the root of the repository, with `/`. */
  readonly file: string;
  readonly sql: string;
  /** Line of the file, from 1, at which `sql` begins. */
  readonly firstLine: number;
  /** Whether the tool opens a transaction around it. */
  readonly transaction: boolean;
}

/** One change of the schema, as its tool knows it. */
export interface Migration {
  /** How the tool's own table names it: what {@link Applied.id} is compared with. */
  readonly id: string;
  /** What a person calls it, such as `20261123_add_carrier`. */
  readonly name: string;
  /** Path from the root of the repository, with `/`. */
  readonly file: string;
  /** SHA-256 of the file's bytes in hex. */
  readonly checksum: string;
  /** Absent where only running it shows its SQL: Knex, TypeORM, Sequelize, Django, Alembic. */
  readonly up?: Script;
  /** Absent where there is none, or only running shows it; {@link reversible} tells which. */
  readonly down?: Script;
  /** Whether it can be taken back. */
  readonly reversible: boolean;
  /** Ids of those that it needs, where the tool goes by them and not by names alone: Alembic, Django. */
  readonly after?: readonly string[];
}

/** A migration that the database says it has. */
export interface Applied {
  readonly id: string;
  /** As the tool wrote it; by each tool's own method. */
  readonly checksum?: string;
  /** Whether the tool calls it done: Prisma, Flyway and golang-migrate keep failed ones. */
  readonly state: 'applied' | 'failed';
  /** When, as ISO 8601. */
  readonly at?: string;
}
