import type { Finding } from '../migration/finding.ts';
import { HISTORY_TABLE } from '../migration/tools/sql.ts';
import type { SchemaDifference } from '../postgres/schema.ts';
import { RECORD_SCHEMA } from './record.ts';

const SHOWN = 200;

/**
 * Where production is not what the rehearsal ended with, as findings. What this product itself keeps in the database is
 * no difference.
 * @param directory of the migrations, since a difference stands in no line of theirs
 */
export function driftFindings(differences: readonly SchemaDifference[], directory: string): readonly Finding[] {
  return differences.filter(({ object }) => !isOwn(object)).map((difference) => finding(difference, directory));
}

function isOwn(object: string): boolean {
  return new RegExp(String.raw`\b(${HISTORY_TABLE}(_pkey)?|${RECORD_SCHEMA})\b`).test(object);
}

function finding({ object, expected, actual }: SchemaDifference, file: string): Finding {
  const common = { code: 'drift', severity: 'warning', place: { file }, source: 'rehearsal' } as const;
  if (actual === undefined) {
    return {
      ...common,
      message: `${object} is missing in the database, though the migrations make it`,
      why: 'Somebody took it away by hand, or the database did not get all migrations: code that uses it fails.',
      remedy: `Make it again by a migration of its own: ${cut(expected)}`,
    };
  }
  if (expected === undefined) {
    return {
      ...common,
      message: `${object} is in the database, and no migration makes it`,
      why: 'It was made by hand: a new environment lacks it, and a later migration may meet it.',
      remedy: `Write it as a migration with IF NOT EXISTS, or drop it: ${cut(actual)}`,
    };
  }
  return {
    ...common,
    message: `${object} differs from what the migrations make`,
    why: `The migrations make ${cut(expected)}; the database has ${cut(actual)}.`,
    remedy: 'Write the difference as a migration, or take back what was changed by hand.',
  };
}

function cut(definition = ''): string {
  return definition.length > SHOWN ? `${definition.slice(0, SHOWN - 1)}…` : definition;
}
