import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { changedLines } from '../coverage/changed.ts';
import { findTools } from '../migration/detect.ts';
import { type Files, filesOf, within } from '../migration/files.ts';
import type { Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import { foundCommand } from '../migration/tools/command.ts';
import { toolNamed } from '../migration/tools/tools.ts';
import { isMysql } from './dialect.ts';
import type { MigrateInputs } from './inputs.ts';

/** The migrations of one tool in one folder. */
export interface MigrationSet {
  readonly found: Found;
  readonly tool: Tool;
  /** All, in the order in which they are applied. */
  readonly migrations: readonly Migration[];
}

/** Finds and reads everything that the inputs mean. @throws UserError where there is nothing, or nothing readable */
export async function readSets(given: MigrateInputs, host: Host): Promise<readonly MigrationSet[]> {
  const found = given.command.length > 0 && given.runIn === 'runner' ? [ownTool(given)] : await foundTools(given, host);
  const names = [...given.databaseEnv].map(([name, part]) => `${name}=${part}`).join(' ');
  return Promise.all(
    found.map(async (plain) => {
      const one = { ...plain, settings: { ...plain.settings, names } };
      const tool = toolNamed(one.tool);
      const migrations = await tool.read(one, host.info.workspace);
      host.log.info(`${tool.title}: ${migrations.length} migrations; ${one.reason}`);
      return { found: one, tool, migrations };
    }),
  );
}

async function foundTools({ directory, tool }: MigrateInputs, { info }: Host): Promise<readonly Found[]> {
  const files: Files = await filesOf(info.workspace);
  return findTools(files, { directory: within('', directory), ...(tool !== '' && { tool }) });
}

/** What `command` describes. @throws UserError where it can't be what is meant */
function ownTool(given: MigrateInputs): Found {
  if (given.tool !== '' || isMysql(given)) {
    const [input, value] = given.tool === '' ? ['dialect', 'mysql'] : ['tool', given.tool];
    throw new UserError(`input command does not go with ${input}: ${value}`, {
      remedy: isMysql(given)
        ? 'Name the tool by tool: a command on the runner is watched by what PostgreSQL receives of it.'
        : 'Leave out command, as the tool is run by its own program, or tool, where your own command is meant.',
    });
  }
  return foundCommand({ command: given.command, directory: within('', given.directory), history: given.history });
}

/** Which migrations a pull request or push brings, by the files that it changes. */
export interface News {
  /** In their order. */
  readonly migrations: readonly Migration[];
  /** Why all count as new, where it is not known which are. */
  readonly unknown?: string;
}

/** The new and changed ones; all of them where the inputs say so, or nobody knows. */
export async function newsOf(set: MigrationSet, given: MigrateInputs, host: Host): Promise<News> {
  if (given.allFiles) return { migrations: set.migrations };
  const changed = await changedLines(host);
  if (changed === undefined) return { migrations: set.migrations };
  if ('unknown' in changed) {
    const unknown = changed.unknown.replace(/which lines/, 'which migrations');
    return { migrations: set.migrations, unknown };
  }
  return { migrations: set.migrations.filter(({ file }) => changed.lines.has(file)) };
}
