import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf, readSource, within } from '../files.ts';
import { inOrderOfNeeds } from '../graph.ts';
import { historyRows, textOf } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Finding } from '../finding.ts';
import type { Found, Tool } from '../tool.ts';
import { pythonCommand, pythonRunner } from './python.ts';
import { hasLoneArgument, listAfter } from './python-text.ts';

const TITLE = 'Django';
const NAME = /(^|\/)([A-Za-z_]\w*)\/migrations\/(\d{4}_\w+)\.py$/;

export function findDjango(files: Files): readonly Found[] {
  return files.list
    .filter((file) => baseOf(file) === 'manage.py' && /django/.test(files.read(file) ?? ''))
    .flatMap((file) => {
      const project = folderOf(file);
      const own = files.list.filter((one) => (project === '' || one.startsWith(`${project}/`)) && NAME.test(one));
      if (own.length === 0) return [];
      const settings = { runner: pythonRunner(files, project), files: own.join('\n') };
      return [
        {
          tool: 'django',
          project,
          directory: project,
          reason: `${file} with ${own.length} migrations`,
          settings,
        } as const,
      ];
    });
}

export const django: Tool = {
  name: 'django',
  title: TITLE,
  async read({ settings: { files = '' } }, workspace) {
    const read = await Promise.all(
      files.split('\n').map(async (file) => {
        const { text, checksum } = await readSource(workspace, within('', file));
        const [, , app = '', name = ''] = NAME.exec(file) ?? [];
        const after = ['dependencies', 'replaces'].flatMap((variable) => namesIn(text, variable));
        // What has no way back says so by the code that would be missing.
        const reversible = !hasLoneArgument(text, 'RunPython') && !hasLoneArgument(text, 'RunSQL');
        return { id: `${app}.${name}`, name: `${app}/${name}`, file, checksum, reversible, after };
      }),
    );
    // It plans one app after the other (MigrationExecutor of Django).
    return inOrderOfNeeds(read.toSorted(byId), TITLE);
  },
  async applied(database) {
    const rows = await historyRows(database, 'django_migrations', 'app, name, applied', 'ORDER BY id');
    return rows.map((row) => ({
      id: `${textOf(row, 'app')}.${textOf(row, 'name')}`,
      state: 'applied',
      at: textOf(row, 'applied'),
    }));
  },
  up: (found, address) => pythonCommand(found, address, 'python', ['manage.py', 'migrate', '--no-input']),
  down(found, address, applied) {
    const [app = '', name = ''] = applied.at(-1)?.id.split('.') ?? [];
    const before = applied.findLast(({ id }) => id.startsWith(`${app}.`) && id !== `${app}.${name}`)?.id.split('.')[1];
    return pythonCommand(found, address, 'python', ['manage.py', 'migrate', '--no-input', app, before ?? 'zero']);
  },
  // Apps of libraries have migrations too, which stand in no file of the repository.
  check(migrations, applied) {
    const own = new Set(migrations.map(({ id }) => id.split('.')[0]));
    const ours = applied.filter(({ id }) => own.has(id.split('.')[0]));
    return [...checkOrder(migrations, ours, { title: TITLE, outOfOrder: 'refuses' }), ...twice(migrations)];
  },
};

/** Pairs of app and name; of several that one needs, Django takes the last first (MigrationGraph.iterative_dfs). */
function namesIn(text: string, variable: string): readonly string[] {
  const names = [...listAfter(text, variable).matchAll(/\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]\s*,?\s*\)/g)].map(
    ([, a, b]) => `${a}.${b}`,
  );
  return names.toSorted().toReversed();
}

function byId(a: Migration, b: Migration): number {
  return a.id < b.id ? -1 : 1;
}

function twice(migrations: readonly Migration[]): readonly Finding[] {
  const first = new Map<string, Migration>();
  return migrations.flatMap((migration): Finding[] => {
    const key = /^\w+\.\d+/.exec(migration.id)?.[0] ?? migration.id;
    const before = first.get(key);
    if (before === undefined) first.set(key, migration);
    if (before === undefined) return [];
    return [
      {
        code: 'migration-number-twice',
        severity: 'warning',
        place: { file: migration.file, line: 1 },
        message: `${migration.name} has the number of ${before.name}`,
        why: 'Two branches made it at the same time: Django refuses while both are the last of their app.',
        remedy: 'Let one depend on the other, or run makemigrations --merge.',
        source: 'tool',
      },
    ];
  });
}
