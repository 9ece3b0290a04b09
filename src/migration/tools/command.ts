import { UserError } from '../../action/errors.ts';
import { environmentOf } from '../address.ts';
import { checkOrder } from '../checks.ts';
import { type Source, baseOf, within } from '../files.ts';
import { literal, quoted, textOf } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Found, Tool } from '../tool.ts';
import { byVersion, sourcesIn } from './scripts.ts';

const TITLE = 'the command';
/** What lies beside migrations and is none: hidden files, texts for people, ways back. */
const NO_MIGRATION = /^\.|^readme\b|\.md$|\.down\.\w+$/i;

/** A team's own tool, as its team describes it. */
export interface OwnTool {
  /** The program and its arguments; it runs in the root of the repository. */
  readonly command: readonly string[];
  /** Folder of its files, relative to the repository. */
  readonly directory: string;
  /** `table.column` or `schema.table.column`, where it keeps which of them it applied. */
  readonly history: string;
}

/** Takes a team's own tool for what it says of itself. @throws UserError where it says too little */
export function foundCommand({ command, directory, history }: OwnTool): Found {
  const [column = '', table = '', schema = ''] = history.split('.').toReversed();
  if (table === '') {
    throw new UserError('input history is missing', {
      remedy:
        'Name where the command keeps what it applied, as table.column: by that it is known what is pending and what was done. (For a command that runs in the cluster, give run-in: kubernetes.)',
    });
  }
  if (directory === '') {
    throw new UserError('input directory is missing', {
      remedy: 'Name the folder of the files that the command applies, such as db/changes.',
    });
  }
  return {
    tool: 'command',
    project: '',
    directory,
    reason: `the inputs name ${command.join(' ')} for ${directory}/`,
    settings: { command: JSON.stringify(command), table, column, schema },
  };
}

/**
 * Any other tool: what it runs is what the server receives, and what it applied is what stands in its own table, by the
 * name of the file, with or without its ending or folder, or by the number that the name begins with.
 */
export const command: Tool = {
  name: 'command',
  title: TITLE,
  async read({ directory, settings }, workspace) {
    // The program may lie among its files.
    const own = new Set(argumentsOf(settings).map((one) => within('', one)));
    const sources = (await sourcesOf(workspace, directory)).filter(({ file }) => !own.has(file) && isMigration(file));
    return sources
      .map(({ file, checksum }) => ({ id: baseOf(file), name: stemOf(file), file, checksum, reversible: false }))
      .toSorted((a, b) => byVersion(numberOf(a.id) ?? '0', numberOf(b.id) ?? '0'));
  },
  async applied(database, { settings: { table = '', column = '', schema = '' } }, migrations) {
    const name = schema === '' ? quoted(table) : quoted(schema, table);
    const [known] = await database.query(
      `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(${literal(name)})
         AND attname = ${literal(column)} AND attnum > 0 AND NOT attisdropped) AS is_there`,
    );
    if (known?.['is_there'] !== true) return [];
    const rows = await database.query(`SELECT DISTINCT ${quoted(column)}::text AS name FROM ${name}`);
    const idOf = namesOf(migrations);
    const ids = new Set(rows.flatMap((row) => idOf(textOf(row, 'name')) ?? []));
    return migrations.filter(({ id }) => ids.has(id)).map(({ id }) => ({ id, state: 'applied' }));
  },
  up(found, address) {
    const [program = '', ...args] = argumentsOf(found.settings);
    return { program, args, cwd: found.project, env: environmentOf(address, found) };
  },
  check: (migrations, applied) => checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs' }),
};

async function sourcesOf(workspace: string, directory: string): Promise<readonly Source[]> {
  try {
    return await sourcesIn(workspace, directory, /./);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`there is no folder ${directory} in the repository`, {
      remedy: 'Name the folder of the files that the command applies by directory.',
      cause: error,
    });
  }
}

function argumentsOf({ command: text = '[]' }: Found['settings']): readonly string[] {
  return JSON.parse(text) as readonly string[];
}

function isMigration(file: string): boolean {
  return !NO_MIGRATION.test(baseOf(file));
}

function stemOf(file: string): string {
  return baseOf(file).replace(/(?:\.up)?\.\w+$/, '');
}

function numberOf(id: string): string | undefined {
  return /^[vV]?(\d+)/.exec(id)?.[1];
}

/** Finds the migration that a row means; a number that two have means neither. */
function namesOf(migrations: readonly Migration[]): (name: string) => string | undefined {
  const byName = new Map(
    migrations.flatMap(({ id, name, file }) => [id, name, file].map((one): [string, string] => [one, id])),
  );
  const numbers = Map.groupBy(migrations, ({ id }) => String(BigInt(numberOf(id) ?? '0')));
  return (name) => {
    const named = byName.get(name) ?? byName.get(baseOf(name));
    if (named !== undefined || !/^\d{1,30}$/.test(name)) return named;
    const [one, ...more] = numbers.get(String(BigInt(name))) ?? [];
    return more.length === 0 ? one?.id : undefined;
  };
}
