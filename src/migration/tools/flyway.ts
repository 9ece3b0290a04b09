import { jdbcOf } from '../address.ts';
import { checkOrder, strangers } from '../checks.ts';
import { type Files, baseOf, folderOf, nearest, within } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Applied } from '../migration.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { fileOf } from './javascript.ts';
import { byVersion, sourcesBelow, wholeOf } from './scripts.ts';

const TITLE = 'Flyway';
const CONFIGS = ['flyway.toml', 'flyway.conf'];
const NAME = /^(?:(V)([0-9]+(?:[._][0-9]+)*)|(R))__(.+)\.sql$/;

export function findFlyway(files: Files): readonly Found[] {
  const folders = files.list.filter((file) => /^V\d[\d._]*__.+\.sql$/.test(baseOf(file))).map((file) => rootOf(file));
  return [...new Set(folders)].map((directory) => {
    const project = nearest(files, directory, [...CONFIGS, 'pom.xml', 'build.gradle', 'build.gradle.kts']) ?? '';
    const pom = files.read(within(project, 'pom.xml')) ?? '';
    const plugin = /<artifactId>flyway-maven-plugin<[\s\S]*?<\/plugin>/.exec(pom)?.[0];
    const config = fileOf(files, project, CONFIGS);
    const table =
      /<table>\s*([^<\s]+)/.exec(plugin ?? '')?.[1] ??
      /^\s*(?:flyway\.)?table\s*=\s*["']?([^"'\s]+)/m.exec((config && files.read(config)) ?? '')?.[1];
    const wrapper = files.read(within(project, 'mvnw')) === undefined ? 'mvn' : './mvnw';
    return {
      tool: 'flyway',
      project,
      directory,
      reason: `${directory}/ holds V…__….sql`,
      settings: { table: table ?? 'flyway_schema_history', ...(plugin !== undefined && { maven: wrapper }) },
    };
  });
}

/** It reads a location with all folders below it: the location is the one called so, where one is. */
function rootOf(file: string): string {
  return /^(?:.*\/)?migrations?(?=\/)/.exec(file)?.[0] ?? folderOf(file);
}

export const flyway: Tool = {
  name: 'flyway',
  title: TITLE,
  async read({ directory }, workspace) {
    const sources = await sourcesBelow(workspace, directory, NAME);
    const confs = new Map(
      (await sourcesBelow(workspace, directory, /\.sql\.conf$/)).map(({ file, text }) => [file, text]),
    );
    const read = sources.map((source) => {
      const [, , version = '', repeatable] = NAME.exec(baseOf(source.file)) ?? [];
      const name = baseOf(source.file).replace(/\.sql$/, '');
      const conf = confs.get(`${source.file}.conf`) ?? '';
      const transaction = !/^\s*executeInTransaction\s*=\s*false/m.test(conf) && !/\bCONCURRENTLY\b/i.test(source.text);
      const id = repeatable === undefined ? version.replaceAll('_', '.') : name;
      return {
        id,
        name,
        file: source.file,
        checksum: source.checksum,
        up: wholeOf(source, transaction),
        reversible: false,
        version,
      };
    });
    // Those of a version first, then the ones that are repeated, in order of their names.
    return read
      .toSorted(
        (a, b) =>
          Number(a.version === '') - Number(b.version === '') ||
          byVersion(a.version, b.version) ||
          (a.name < b.name ? -1 : 1),
      )
      .map(({ id, name, file, checksum, up, reversible }) => ({ id, name, file, checksum, up, reversible }));
  },
  async applied(database, { settings: { table = 'flyway_schema_history' } }, migrations) {
    const rows = await historyRows(
      database,
      quoted(table),
      'version, description, script, checksum, success',
      'ORDER BY installed_rank',
    );
    const baseline = rows.find((row) => textOf(row, 'script') === '<< Flyway Baseline >>');
    const before =
      baseline === undefined
        ? []
        : migrations.filter(({ id }) => !id.startsWith('R') && byVersion(id, textOf(baseline, 'version')) <= 0);
    const own = rows
      .filter((row) => row !== baseline && !textOf(row, 'script').startsWith('<<'))
      .map((row): Applied => {
        const version = textOf(row, 'version');
        const id =
          version === ''
            ? textOf(row, 'script')
                .replace(/^.*\//, '')
                .replace(/\.sql$/, '')
            : version;
        return { id, state: row['success'] === true ? 'applied' : 'failed', checksum: textOf(row, 'checksum') };
      });
    // A repeatable one whose file changed is pending again.
    const sums = new Map(
      migrations.map((one) => [one.id, one.up === undefined ? undefined : flywayChecksum(one.up.sql)]),
    );
    const current = own.filter(
      ({ id, checksum }) => !id.startsWith('R') || sums.get(id) === undefined || sums.get(id) === checksum,
    );
    return [...before.map(({ id }): Applied => ({ id, state: 'applied' })), ...current];
  },
  up: (found, address) => run(found, address, 'migrate'),
  upTo(found, address, pending) {
    const command = run(found, address, 'migrate');
    const target = pending.findLast(({ id }) => !id.startsWith('R'))?.id ?? 'current';
    // A target holds back versions alone: what is repeated has to look like none of its files.
    const without = {
      FLYWAY_REPEATABLE_SQL_MIGRATION_PREFIX: 'NOT_NOW',
      FLYWAY_IGNORE_MIGRATION_PATTERNS: '*:future,repeatable:missing',
    };
    const isAll = pending.some(({ id }) => id.startsWith('R'));
    return { ...command, env: { ...command.env, FLYWAY_TARGET: target, ...(!isAll && without) } };
  },
  passedOver: ({ directory }, { list }, migrations) =>
    strangers(list, migrations, {
      directory,
      title: TITLE,
      why: (name) =>
        /^U[\d._]+__/.test(name) || !/^[VRvr][\d_]/.test(name) ? undefined : 'a name is V1__words.sql or R__words.sql',
    }),
  check: (migrations, applied) =>
    checkOrder(migrations, applied, {
      title: TITLE,
      outOfOrder: 'refuses',
      refusesEdited: true,
      checksum: ({ id, up }) => (up === undefined || id.startsWith('R') ? undefined : flywayChecksum(up.sql)),
      number: ({ id }) => id,
    }),
};

/**
 * CRC-32 over the lines without their ends, as a signed number (ChecksumCalculator of Flyway). A file with placeholders
 * has the checksum of its text with them.
 */
export function flywayChecksum(text: string): string {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const bytes = Buffer.from(lines.join(''), 'utf8');
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return String((crc ^ 0xffffffff) | 0);
}

/** By the project's Maven plugin where it has one, else by the program on PATH; both take this environment. */
function run({ project, directory, settings }: Found, address: Address, what: string): Command {
  const folder = project === '' ? directory : directory.slice(project.length + 1);
  const { maven } = settings;
  return {
    program: maven ?? 'flyway',
    args: maven === undefined ? [what] : ['--batch-mode', '--non-recursive', `flyway:${what}`],
    cwd: project,
    env: {
      FLYWAY_URL: jdbcOf(address),
      FLYWAY_USER: address.user,
      FLYWAY_PASSWORD: address.password,
      FLYWAY_LOCATIONS: `filesystem:${folder}`,
      // With its lock in a transaction of its own, CREATE INDEX CONCURRENTLY would wait for it without end.
      FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK: 'false',
    },
  };
}
