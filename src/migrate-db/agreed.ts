import { createHash } from 'node:crypto';
import { type Problem, UserError } from '../action/errors.ts';
import type { Migration } from '../migration/migration.ts';
import type { Checked } from './check.ts';

/** What a plan found pending, each by its name and content: 16 hex digits, so that thousands fit into an input. */
export function digestsOf(checked: readonly Checked[]): readonly string[] {
  return checked.flatMap(({ set, migrations }) => migrations.map((one) => digestOf(set.found.directory, one)));
}

/**
 * Holds what is pending now against what those who agreed were shown. Fewer is fine: another run may have applied some.
 * @param expected as {@link digestsOf} gave it; none asks for nothing
 * @throws UserError that names each migration which nobody agreed to as it is now
 */
export function checkAgreed(expected: readonly string[] | undefined, checked: readonly Checked[]): void {
  if (expected === undefined) return;
  const agreed = new Set(expected);
  const strangers = checked.flatMap(({ set, migrations }) =>
    migrations.filter((one) => !agreed.has(digestOf(set.found.directory, one))),
  );
  if (strangers.length === 0) return;
  const problems = strangers.map(({ name, file }): Problem => ({
    message: `${name} was not among what was agreed to, or has changed since`,
    remedy: 'Run the workflow again: the plan is then made anew, and whoever has to agree is asked.',
    place: { file },
  }));
  throw UserError.all(problems, 'nothing was applied, as it is not what was agreed to');
}

function digestOf(directory: string, { id, checksum }: Migration): string {
  return createHash('sha256')
    .update(JSON.stringify([directory, id, checksum]))
    .digest('hex')
    .slice(0, 16);
}
