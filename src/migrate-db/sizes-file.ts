import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { isRecord, numberAt } from '../kube/fields.ts';
import type { TableSize } from '../rehearsal/rehearsal.ts';
import type { MigrateInputs } from './inputs.ts';

/** Sizes that `plan` wrote, for a check that touches no database. @throws UserError where the file is none */
export async function readSizes(
  { sizes }: MigrateInputs,
  { info }: Pick<Host, 'info'>,
): Promise<ReadonlyMap<string, TableSize>> {
  if (sizes === '') return new Map();
  try {
    const value: unknown = JSON.parse(await readFile(path.join(info.workspace, sizes), 'utf8'));
    if (!isRecord(value)) throw new Error('it is no object of tables');
    return new Map(
      Object.keys(value).map((relation) => {
        const [rows, bytes] = [numberAt(value, relation, 'rows'), numberAt(value, relation, 'bytes')];
        if (rows === undefined || bytes === undefined) throw new Error(`${relation} lacks rows or bytes`);
        return [relation, { relation, rows, bytes }];
      }),
    );
  } catch (error) {
    throw new UserError(`input sizes: ${sizes} cannot be used: ${messageOf(error)}`, {
      remedy: 'Let mode: plan write it, as {"shipments": {"rows": 41000000, "bytes": 4200000000}}.',
    });
  }
}

/** Keeps the sizes where the input says, for the checks of pull requests. */
export async function writeSizes(
  { sizes }: MigrateInputs,
  found: ReadonlyMap<string, TableSize>,
  { info }: Pick<Host, 'info'>,
): Promise<void> {
  if (sizes === '') return;
  const file = path.join(info.workspace, sizes);
  await mkdir(path.dirname(file), { recursive: true });
  const value = Object.fromEntries([...found.values()].map(({ relation, rows, bytes }) => [relation, { rows, bytes }]));
  await writeFile(file, `${JSON.stringify(value, undefined, 1)}\n`);
}
