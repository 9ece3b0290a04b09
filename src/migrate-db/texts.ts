import type { Finding } from '../migration/finding.ts';
import type { Migration, Script } from '../migration/migration.ts';
import type { Rehearsal, RehearsedMigration } from '../rehearsal/rehearsal.ts';

/** A script that was put together from what a server received, and where each of its statements stands in truth. */
interface Heard {
  readonly script: Script;
  /** The finding at its true place. */
  readonly placed: (finding: Finding) => Finding;
}

/** What the linter reads: the migrations' own SQL, or what the rehearsal heard of those that are programs. */
export function textsOf(
  migrations: readonly Migration[],
  rehearsal: Rehearsal | undefined,
): { readonly scripts: readonly Script[]; readonly placed: (finding: Finding) => Finding } {
  const heard = new Map<string, Heard>();
  const scripts = migrations.flatMap((migration) => {
    if (migration.up !== undefined) return [migration.up];
    const rehearsed = rehearsal?.migrations.find((one) => one.migration.id === migration.id);
    if (rehearsed === undefined || rehearsed.statements.length === 0) return [];
    const one = heardScript(rehearsed);
    heard.set(migration.file, one);
    return [one.script];
  });
  return { scripts, placed: (finding) => heard.get(finding.place.file)?.placed(finding) ?? finding };
}

function heardScript({ migration, statements }: RehearsedMigration): Heard {
  const starts: number[] = [];
  let line = 1;
  for (const { sql } of statements) {
    starts.push(line);
    line += sql.split('\n').length;
  }
  const sql = statements.map((one) => `${one.sql.replace(/;?\s*$/, '')};`).join('\n');
  // The tool's own BEGIN was heard with the rest, or a statement ran by itself.
  const transaction = statements.every(({ inTransaction }) => inTransaction);
  return {
    script: { file: migration.file, sql, firstLine: 1, transaction },
    placed(finding) {
      const at = starts.findLastIndex((start) => start <= (finding.place.line ?? 1));
      const statement = statements[at];
      return { ...finding, place: statement?.place ?? { file: migration.file } };
    },
  };
}
