import type { Tool, ToolName } from '../tool.ts';
import { alembic } from './alembic.ts';
import { command } from './command.ts';
import { dbmate } from './dbmate.ts';
import { django } from './django.ts';
import { drizzle } from './drizzle.ts';
import { flyway } from './flyway.ts';
import { golangMigrate } from './golang-migrate.ts';
import { knex } from './knex.ts';
import { liquibase } from './liquibase.ts';
import { nodePgMigrate } from './node-pg-migrate.ts';
import { prisma } from './prisma.ts';
import { sequelize } from './sequelize.ts';
import { sql } from './sql.ts';
import { typeorm } from './typeorm.ts';

const ALL: Readonly<Record<ToolName, Tool>> = {
  prisma,
  knex,
  'node-pg-migrate': nodePgMigrate,
  typeorm,
  sequelize,
  drizzle,
  alembic,
  django,
  flyway,
  liquibase,
  dbmate,
  'golang-migrate': golangMigrate,
  sql,
  command,
};

/** What is known of a tool. */
export function toolNamed(name: ToolName): Tool {
  return ALL[name];
}
