import { UserError } from '../action/errors.ts';
import { type Files, filesIn, within } from './files.ts';
import { type Found, TOOLS, type ToolName } from './tool.ts';
import { findAlembic } from './tools/alembic.ts';
import { findDbmate } from './tools/dbmate.ts';
import { findDjango } from './tools/django.ts';
import { findDrizzle } from './tools/drizzle.ts';
import { findFlyway } from './tools/flyway.ts';
import { findGolangMigrate } from './tools/golang-migrate.ts';
import { findKnex } from './tools/knex.ts';
import { findLiquibase } from './tools/liquibase.ts';
import { findNodePgMigrate } from './tools/node-pg-migrate.ts';
import { findPrisma } from './tools/prisma.ts';
import { findSequelize } from './tools/sequelize.ts';
import { findSql, foundSql } from './tools/sql.ts';
import { findTypeorm } from './tools/typeorm.ts';

/** What the user said of where migrations are. */
export interface Wish {
  /** A folder of the repository, `''` for all of it: its migrations, or those of the projects below it. */
  readonly directory: string;
  /** Undefined finds out. */
  readonly tool?: ToolName;
  /** Variables of the environment by which its configuration reads the URL of the database, besides the usual ones. */
  readonly variables?: readonly string[];
}

/** By their files and contents; what is surest comes first, and takes its folder. */
const FINDERS = [
  findPrisma,
  findDrizzle,
  findKnex,
  findNodePgMigrate,
  findTypeorm,
  findSequelize,
  findAlembic,
  findDjango,
  findFlyway,
  findLiquibase,
  findDbmate,
  findGolangMigrate,
] as const;

/**
 * Finds every set of migrations in a repository.
 * @throws UserError where there is none, or none of the tool that was named
 */
export function findTools(files: Files, wish: Wish): readonly Found[] {
  const { variables = [] } = wish;
  const found = foundBy(files, wish);
  if (variables.length === 0) return found;
  return found.map((one) => ({ ...one, settings: { ...one.settings, variables: variables.join(' ') } }));
}

function foundBy(files: Files, { directory, tool }: Wish): readonly Found[] {
  const folder = within('', directory);
  const inside = ({ directory: own }: Found): boolean =>
    folder === '' || own === folder || own.startsWith(`${folder}/`) || folder.startsWith(`${own}/`);
  const all = FINDERS.flatMap((find) => [...find(files)]);
  const found = withoutTwins([...all, ...findSql(files, new Set(all.map((one) => one.directory)))]).filter((one) =>
    inside(one),
  );
  if (tool === 'sql' && !found.some((one) => one.tool === 'sql') && filesIn(files, folder, /\.sql$/).length > 0) {
    return [foundSql(folder, `the inputs name ${folder === '' ? 'the root' : `${folder}/`} with plain SQL`)];
  }
  const wanted = found.filter((one) => tool === undefined || one.tool === tool);
  if (wanted.length > 0) return wanted;
  const where = folder === '' ? 'the repository' : folder;
  const seen = found.map((one) => `${one.tool} in ${one.directory}`).join(', ');
  throw new UserError(`there are no migrations ${tool === undefined ? '' : `of ${tool} `}in ${where}`, {
    remedy: `${seen === '' ? '' : `Found: ${seen}. `}Name their folder by directory and their tool by tool (${TOOLS.join(', ')}), or what runs them by command.`,
  });
}

/** A folder belongs to the first tool that claims it. */
function withoutTwins(found: readonly Found[]): readonly Found[] {
  const first = new Map<string, Found>();
  for (const one of found) if (!first.has(one.directory)) first.set(one.directory, one);
  return [...first.values()];
}
