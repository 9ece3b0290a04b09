import { urlOf } from '../address.ts';
import { checkOrder, strangers } from '../checks.ts';
import { type Files, baseOf, folderOf } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { byVersion, isEmpty, isOneTransaction, sourcesIn, wholeOf } from './scripts.ts';

const TITLE = 'golang-migrate';
const NAME = /^(\d+)_(.*)\.(up|down)\.sql$/;

export function findGolangMigrate(files: Files): readonly Found[] {
  const folders = files.list.filter((file) => /^\d+_.*\.up\.sql$/.test(baseOf(file))).map((file) => folderOf(file));
  return [...new Set(folders)].map((directory) => ({
    tool: 'golang-migrate',
    project: '',
    directory,
    reason: `${directory}/ holds pairs of .up.sql and .down.sql`,
    settings: { table: 'schema_migrations' },
  }));
}

export const golangMigrate: Tool = {
  name: 'golang-migrate',
  title: TITLE,
  async read({ directory }, workspace) {
    const sources = await sourcesIn(workspace, directory, NAME);
    const downs = new Map(
      sources
        .filter(({ file }) => file.endsWith('.down.sql'))
        .map((source) => [source.file.replace(/\.down\.sql$/, ''), source]),
    );
    return sources
      .filter(({ file }) => file.endsWith('.up.sql'))
      .map((source) => {
        const stem = source.file.replace(/\.up\.sql$/, '');
        const back = downs.get(stem);
        const down = back && wholeOf(back, isOneTransaction(back.text));
        const reversible = down !== undefined && !isEmpty(down);
        const [, number = ''] = NAME.exec(baseOf(source.file)) ?? [];
        return {
          id: String(BigInt(number)),
          name: baseOf(stem),
          file: source.file,
          checksum: source.checksum,
          up: wholeOf(source, isOneTransaction(source.text)),
          ...(down && reversible && { down }),
          reversible,
        };
      })
      .toSorted((a, b) => byVersion(a.id, b.id));
  },
  async applied(database, { settings: { table = 'schema_migrations' } }, migrations) {
    // It keeps one number: everything up to it has run.
    const [row] = await historyRows(database, quoted(table), 'version, dirty', 'LIMIT 1');
    if (row === undefined) return [];
    const version = textOf(row, 'version');
    const done = migrations.filter(({ id }) => byVersion(id, version) <= 0).map(({ id }) => id);
    const all = done.includes(version) ? done : [...done, version];
    const failed = row['dirty'] === true;
    return all.map((id) => ({ id, state: failed && id === version ? 'failed' : 'applied' }));
  },
  up: (found, address) => run(found, address, ['up']),
  upTo: (found, address, pending) => run(found, address, ['up', String(pending.length)]),
  down: (found, address) => run(found, address, ['down', '1']),
  passedOver: ({ directory }, { list }, migrations) =>
    strangers(list, migrations, {
      directory,
      title: TITLE,
      why(name, file) {
        if (!NAME.test(name)) return 'a name is 1_words.up.sql or 1_words.down.sql';
        return list.includes(file.replace(/\.down\.sql$/, '.up.sql')) ? undefined : 'there is no .up.sql beside it';
      },
    }),
  check: (migrations, applied) =>
    checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'skips', number: ({ id }) => id }),
};

/** It takes its database by an argument alone; what stands there is good for the relay on loopback and nothing else. */
function run({ directory }: Found, address: Address, args: readonly string[]): Command {
  return {
    program: 'migrate',
    args: ['-path', directory, '-database', urlOf(address), ...args],
    cwd: '',
    env: {},
  };
}
