import { checkOrder } from '../checks.ts';
import { type Files, baseOf, filesIn, folderOf, within } from '../files.ts';
import type { Finding } from '../finding.ts';
import { inOrderOfNeeds } from '../graph.ts';
import { historyRows, textOf } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Found, Tool } from '../tool.ts';
import { pythonCommand, pythonRunner } from './python.ts';
import { doesSomething } from './python-text.ts';
import { sourcesIn } from './scripts.ts';

const TITLE = 'Alembic';

export function findAlembic(files: Files): readonly Found[] {
  return files.list
    .filter((file) => baseOf(file) === 'alembic.ini' || baseOf(file) === 'pyproject.toml')
    .flatMap((file) => {
      const project = folderOf(file);
      const location = /^\s*script_location\s*=\s*["']?(?:%\(here\)s\/)?([^"'\n\r]+?)["']?\s*$/m.exec(
        files.read(file) ?? '',
      )?.[1];
      if (location === undefined) return [];
      const directory = within(project, `${location.replaceAll(':', '/')}/versions`);
      if (filesIn(files, directory, /\.py$/).length === 0) return [];
      const settings = { runner: pythonRunner(files, project) };
      return [{ tool: 'alembic', project, directory, reason: `${file} names ${location}`, settings } as const];
    });
}

export const alembic: Tool = {
  name: 'alembic',
  title: TITLE,
  async read({ directory }, workspace) {
    const sources = await sourcesIn(workspace, directory, /\.py$/);
    const found = sources.flatMap(({ file, text, checksum }): Migration[] => {
      const id = /^revision\s*(?::[^=]+)?=\s*['"]([^'"]+)['"]/m.exec(text)?.[1];
      if (id === undefined) return [];
      const after = [...namesIn(text, 'down_revision'), ...namesIn(text, 'depends_on')];
      const back = /^def downgrade\(\)[^:\n]{0,100}:/m.exec(text);
      const reversible = back !== null && doesSomething(text.slice(back.index + back[0].length));
      return [{ id, name: baseOf(file).replace(/\.py$/, ''), file, checksum, reversible, after }];
    });
    return inOrderOfNeeds(found, TITLE);
  },
  async applied(database, _found, migrations) {
    const rows = await historyRows(database, 'alembic_version', 'version_num');
    const byId = new Map(migrations.map((one) => [one.id, one]));
    const done = new Set<string>();
    const heads = rows.map((row) => textOf(row, 'version_num'));
    for (let next = heads.pop(); next !== undefined; next = heads.pop()) {
      if (done.has(next)) continue;
      done.add(next);
      heads.push(...(byId.get(next)?.after ?? []));
    }
    const known = migrations.filter(({ id }) => done.delete(id)).map(({ id }) => id);
    return [...known, ...done].map((id) => ({ id, state: 'applied' }));
  },
  up: (found, address) => pythonCommand(found, address, 'alembic', ['upgrade', 'head']),
  upTo: (found, address, pending) =>
    pythonCommand(found, address, 'alembic', ['upgrade', pending.at(-1)?.id ?? 'head']),
  down: (found, address) => pythonCommand(found, address, 'alembic', ['downgrade', '-1']),
  check: (migrations, applied) => [
    ...checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'refuses' }),
    ...severalHeads(migrations),
  ],
};

/** Revisions that a file names by one of its variables: one, several, or none. */
function namesIn(text: string, variable: string): readonly string[] {
  const value = new RegExp(
    `^${variable}\\s*(?::[^=\\n]+)?=\\s*(\\([^)]*\\)|\\[[^\\]]*\\]|['"][^'"\\n]*['"]|None)`,
    'm',
  ).exec(text);
  return [...(value?.[1] ?? '').matchAll(/['"]([^'"]+)['"]/g)].map(([, one = '']) => one);
}

function severalHeads(migrations: readonly Migration[]): readonly Finding[] {
  const needed = new Set(migrations.flatMap(({ after = [] }) => after));
  const heads = migrations.filter(({ id }) => !needed.has(id));
  if (heads.length < 2) return [];
  return heads.slice(1).map(({ file, name }) => ({
    code: 'migration-number-twice',
    severity: 'error',
    place: { file, line: 1 },
    message: `${name} and ${heads[0]?.name} both are heads: two branches went on from the same revision`,
    why: 'alembic upgrade head refuses to choose, so nothing would be applied.',
    remedy: 'Let the down_revision of the one that is not applied yet name the other, or merge them by alembic merge.',
    source: 'tool',
  }));
}
