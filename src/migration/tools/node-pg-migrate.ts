import { checkOrder } from '../checks.ts';
import { type Files, type Source, baseOf, filesIn, within } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { SCRIPT, configured, hasDown, jsCommand, programsIn, projectsWith, readPrograms } from './javascript.ts';
import { isEmpty, partOf, sourcesIn } from './scripts.ts';

const TITLE = 'node-pg-migrate';
const UP = /^\s*--[\s-]*up\s+migration/i;
const DOWN = /^\s*--[\s-]*down\s+migration/i;

export function findNodePgMigrate(files: Files): readonly Found[] {
  return projectsWith(files, TITLE).flatMap(({ folder, manager, manifest }) => {
    const scripts = JSON.stringify(manifest.scripts ?? {});
    const flag = /node-pg-migrate[^"]*\s(?:-m|--migrations-dir)[ =]([\w./-]+)/.exec(scripts)?.[1];
    const named = flag ?? configured(JSON.stringify(manifest['node-pg-migrate'] ?? {}), 'migrations-dir');
    const directory = within(folder, named ?? 'migrations');
    if (programsIn(files, directory).length + filesIn(files, directory, /\.sql$/).length === 0) return [];
    const table = /node-pg-migrate[^"]*\s(?:-t|--migrations-table)[ =](\w+)/.exec(scripts)?.[1] ?? 'pgmigrations';
    return [
      {
        tool: 'node-pg-migrate',
        project: folder,
        directory,
        reason: `${within(folder, 'package.json')} has node-pg-migrate, with migrations in ${directory}/`,
        settings: { manager, table },
      },
    ];
  });
}

export const nodePgMigrate: Tool = {
  name: 'node-pg-migrate',
  title: TITLE,
  async read({ directory }, workspace) {
    const programs = await readPrograms(directory, workspace, (file) => baseOf(file).replace(SCRIPT, ''), canGoBack);
    const scripts = (await sourcesIn(workspace, directory, /\.sql$/)).map((source) => ofScript(source));
    return [...programs, ...scripts].toSorted((a, b) => timeOf(a.id) - timeOf(b.id) || inWords(a.id, b.id));
  },
  async applied(database, { settings: { table = 'pgmigrations' } }) {
    const rows = await historyRows(database, quoted(table), 'name, run_on', 'ORDER BY id');
    return rows.map((row) => ({ id: textOf(row, 'name'), state: 'applied', at: textOf(row, 'run_on') }));
  },
  up: (found, address) => run(found, address, ['up']),
  upTo: (found, address, pending) => run(found, address, ['up', String(pending.length)]),
  down: (found, address) => run(found, address, ['down', '1']),
  check: (migrations, applied) =>
    checkOrder(migrations, applied, {
      title: TITLE,
      outOfOrder: 'refuses',
      number: ({ id }) => /^\d+/.exec(id)?.[0],
    }),
};

function ofScript(source: Source): Migration {
  const name = baseOf(source.file).replace(/\.sql$/, '');
  const { file, checksum } = source;
  const up = partOf(source, UP, DOWN, true) ?? partOf(source, undefined, DOWN, true);
  const down = partOf(source, DOWN, UP, true);
  const reversible = down !== undefined && !isEmpty(down);
  return { id: name, name, file, checksum, ...(up && { up }), ...(down && reversible && { down }), reversible };
}

/** Without a `down` it takes back what it can of `up`, which is everything but SQL; `down = false` forbids it. */
function canGoBack(text: string): boolean {
  if (/\bdown\b\s*[=:]\s*false\b/.test(text)) return false;
  return /\bdown\b/.test(text) ? hasDown(text) : !/\.\s*(?:sql|db\b|dropTable|dropColumns?)\b/.test(text);
}

/** Its order: numbers, of which those with 17 digits are dates with milliseconds (getNumericPrefix of the tool). */
function timeOf(name: string): number {
  const [digits = ''] = /^\d+/.exec(name) ?? [];
  const [, y, mo, d, h, mi, s, ms] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(digits) ?? [];
  return ms === undefined ? Number(digits) : Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}Z`);
}

function inWords(a: string, b: string): number {
  return a.localeCompare(b, undefined, { usage: 'sort', numeric: true, ignorePunctuation: true });
}

function run(found: Found, address: Address, args: readonly string[]): Command {
  const { directory, project, settings } = found;
  const folder = project === '' ? directory : directory.slice(project.length + 1);
  const table = settings['table'] === undefined ? [] : ['--migrations-table', settings['table']];
  return jsCommand(found, address, TITLE, [...args, '--migrations-dir', folder, ...table]);
}
