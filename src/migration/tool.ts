import type { Database } from '../postgres/database.ts';
import type { Files } from './files.ts';
import type { Finding } from './finding.ts';
import type { Applied, Migration } from './migration.ts';
import type { Address } from '../postgres/address.ts';

export type { Address } from '../postgres/address.ts';

/** Tools for migrations by the names of the input `tool`. */
export const TOOLS = [
  'prisma',
  'knex',
  'node-pg-migrate',
  'typeorm',
  'sequelize',
  'drizzle',
  'alembic',
  'django',
  'flyway',
  'liquibase',
  'dbmate',
  'golang-migrate',
  'sql',
] as const;
/** One of those, or a team's own, which is known by what its team says of it. */
export type ToolName = (typeof TOOLS)[number] | 'command';

/** Where a tool's migrations lie, and how that was found. */
export interface Found {
  readonly tool: ToolName;
  /** The project's folder, relative to the repository, `''` for its root: the tool runs there. */
  readonly project: string;
  /** The folder of the migrations, relative to the repository. */
  readonly directory: string;
  /** A sentence for people: `knex: knexfile.js names migrations/`. */
  readonly reason: string;
  /** What its files say that running it needs, such as the name of its own table. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A program with its arguments, never a shell line. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Folder it runs in, relative to the repository. */
  readonly cwd: string;
  /** How the tool learns of its database; added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** What is known of one tool. Everything but `read` is pure, and nothing of it starts a program. */
export interface Tool {
  readonly name: ToolName;
  /** Its name as people write it, such as `Knex`. */
  readonly title: string;
  /**
   * The migrations in the order in which the tool applies them.
   * @throws UserError for files that the tool would refuse
   */
  read(found: Found, workspace: string): Promise<readonly Migration[]>;
  /**
   * What the database says it has; none where the tool's table is missing. It asks nothing that could fail, so that it
   * may be asked within the tool's own transaction.
   * @param migrations as `read` gave them: some tools keep only the last one's name
   */
  applied(
    database: Pick<Database, 'query'>,
    found: Found,
    migrations: readonly Migration[],
  ): Promise<readonly Applied[]>;
  /** Applies everything pending by the repository's own version of the tool; absent where this product does it itself. */
  up?(found: Found, address: Address): Command;
  /**
   * Applies these, which come first of what is pending, and no more; absent where the tool can't stop.
   * @param pending in the tool's order, at least one
   */
  upTo?(found: Found, address: Address, pending: readonly Migration[]): Command;
  /**
   * Takes back the last of these, which are applied; absent where the tool can't. Several are taken back one by one.
   * @param applied in the tool's order
   */
  down?(found: Found, address: Address, applied: readonly Migration[]): Command;
  /** Ids of the migrations in a file of this text; absent where each has a file of its own. */
  idsIn?(file: string, text: string): readonly string[];
  /**
   * What lies in its folder and looks like a migration, while the tool passes over it without a word; absent where it
   * takes, or refuses, whatever lies there.
   */
  passedOver?(found: Found, files: Files, migrations: readonly Migration[]): readonly Finding[];
  /** What the tool itself would pass over in silence: order, edited files, numbers given twice, a missing way back. */
  check(migrations: readonly Migration[], applied: readonly Applied[]): readonly Finding[];
}
