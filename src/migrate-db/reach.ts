import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import { connectTo } from '../cluster/connect.ts';
import { planTarget } from '../cluster/target.ts';
import type { MigrateInputs } from './inputs.ts';
import { openTarget } from './target.ts';

/** How the database of the inputs is reached; asked anew for each session, as what a password is good for may end. */
export async function targetOf(given: MigrateInputs, host: Host): Promise<ConnectionSource> {
  const kube = async () => (await connectTo(planTarget(given, host.env), host)).kube;
  const { connection, name } = await openTarget(given, host, kube);
  host.log.info(`the database is ${name}`);
  return connection;
}

/** The certificates of the input `ca-file`. @throws UserError where it cannot be read */
export async function trustedFile({ caFile }: MigrateInputs, { info }: Host): Promise<string | undefined> {
  if (caFile === '') return undefined;
  return readFile(path.join(info.workspace, caFile), 'utf8').catch((error: unknown) => {
    throw new UserError(`ca-file: ${caFile} cannot be read: ${messageOf(error)}`, {
      remedy: 'Name a file of the repository with certificates as PEM.',
    });
  });
}
