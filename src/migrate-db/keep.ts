import type { Host } from '../action/host.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { openRds } from '../aws/rds.ts';
import { UserError } from '../action/errors.ts';
import { parseSource, restoreCommand, snapshotName, takeSnapshot } from '../keep/snapshot.ts';
import type { MigrateInputs } from './inputs.ts';

/** What was kept before anything was changed, and how it comes back. */
export interface Kept {
  readonly name: string;
  /** A command for people, beside the database that is there. */
  readonly restore: string;
}

/** Takes the snapshot that the inputs ask for, and waits until it is whole. */
export async function keep(given: MigrateInputs, host: Host): Promise<Kept | undefined> {
  if (given.snapshot === '') return undefined;
  const region = given.region || host.env['AWS_REGION'] || host.env['AWS_DEFAULT_REGION'] || '';
  if (region === '') {
    throw new UserError('input snapshot is given, and nothing says in which region', { remedy: 'Give region.' });
  }
  const { clock, signal, info, log } = host;
  const source = parseSource(given.snapshot);
  const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
  const name = snapshotName(source, info.runId, info.runAttempt);
  const tags = { 'delivery-actions-run': info.runUrl, 'delivery-actions-commit': info.sha };
  const options = { timeout: given.snapshotTimeout, clock, signal, onProgress: (line: string) => log.info(line) };
  const taken = await takeSnapshot(openRds(credentials, region, host), source, name, tags, options);
  return { name: taken.name, restore: restoreCommand(taken, region) };
}
