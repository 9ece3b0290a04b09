import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import { uploadArtifact } from '../artifact/upload.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { openRds } from '../aws/rds.ts';
import { openBucket } from '../aws/s3.ts';
import { readEvent } from '../github/event.ts';
import { type Dump, bodyOf, fileName, restoreCommands, withDump } from '../keep/dump.ts';
import { parseSource, restoreCommand, snapshotName, takeSnapshot } from '../keep/snapshot.ts';
import { isObject } from '../project/json.ts';
import type { MigrateInputs } from './inputs.ts';

/** What was kept before anything was changed, and how it comes back. */
export interface Kept {
  readonly kind: 'snapshot' | 'dump';
  readonly name: string;
  /** Commands for people, beside the database that is there. */
  readonly restore: string;
}

/**
 * Takes the snapshot or dump that the inputs ask for, and waits until it is whole.
 * @param source of the database; absent where this runner does not reach it
 */
export async function keep(given: MigrateInputs, host: Host, source?: ConnectionSource): Promise<Kept | undefined> {
  if (given.backup !== '') return keepDump(given, host, source);
  if (given.snapshot === '') return undefined;
  const region = regionOf(given, host, 'snapshot');
  const { clock, signal, info, log } = host;
  const from = parseSource(given.snapshot);
  const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
  const name = snapshotName(from, info.runId, info.runAttempt);
  const tags = { 'delivery-actions-run': info.runUrl, 'delivery-actions-commit': info.sha };
  const options = { timeout: given.snapshotTimeout, clock, signal, onProgress: (line: string) => log.info(line) };
  const taken = await takeSnapshot(openRds(credentials, region, host), from, name, tags, options);
  return { kind: 'snapshot', name: taken.name, restore: restoreCommand(taken, region) };
}

function regionOf({ region }: MigrateInputs, { env }: Host, input: string): string {
  const known = region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || '';
  if (known !== '') return known;
  throw new UserError(`input ${input} is given, and nothing says in which region`, { remedy: 'Give region.' });
}

async function keepDump(given: MigrateInputs, host: Host, source: ConnectionSource | undefined): Promise<Kept> {
  const upload = await placeOf(given, host);
  if (source === undefined) {
    throw new UserError(
      'backup: pg_dump runs on the runner, which has no way to the database with run-in: kubernetes',
      {
        remedy: 'Take a snapshot, as by snapshot: rds:<instance>, or dump in the cluster before.',
      },
    );
  }
  if (given.snapshot !== '') {
    throw new UserError('inputs backup and snapshot are both given', { remedy: 'Give one: each keeps all of it.' });
  }
  return withDump(await source(), given.backupTimeout, host, async (dump) => {
    const kept = await upload(dump);
    host.log.info(`kept ${kept.name}, SHA-256 ${dump.sha256}`);
    return kept;
  });
}

/** Where the dump goes. @throws UserError where it would lie open, or nowhere */
async function placeOf(given: MigrateInputs, host: Host): Promise<(dump: Dump) => Promise<Kept>> {
  const { runId, runAttempt } = host.info;
  const nameOf = ({ database }: Dump): string => `${fileName(database)}-before-migration-${runId}-${runAttempt || '1'}`;
  const [, name = '', prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(given.backupTo) ?? [];
  if (name !== '') {
    const region = regionOf(given, host, 'backup-to');
    const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
    const bucket = openBucket(credentials, { name, region }, host);
    return async (dump) => {
      const file = `${nameOf(dump)}.dump`;
      const key = prefix === '' ? file : `${prefix}/${file}`;
      await bucket.write(key, bodyOf(dump), {
        contentType: 'application/octet-stream',
        cacheControl: 'no-store',
        contentEncoding: '',
      });
      const where = `s3://${name}/${key}`;
      const fetch = `aws s3 cp --region ${region} ${where} ${file}`;
      return { kind: 'dump', name: where, restore: restoreCommands(fetch, file, dump.database) };
    };
  }
  if (given.backupTo !== 'artifact') {
    throw new UserError('input backup-to is missing', {
      remedy:
        'Name where the dump goes: s3://bucket/prefix, or artifact, which everybody can download who may read the repository.',
    });
  }
  const { repository } = await readEvent(host.info);
  if (isObject(repository) && repository['private'] === false) {
    throw new UserError('backup-to: artifact would publish the database, as the repository is public', {
      remedy: 'Give s3://bucket/prefix. Nothing was migrated.',
    });
  }
  return async (dump) => {
    const name = nameOf(dump);
    await uploadArtifact({ path: dump.path, shown: `the dump of ${dump.database}`, name }, host);
    const fetch = `gh run download ${runId} --repo ${host.info.repository} --name ${name}`;
    return {
      kind: 'dump',
      name: `artifact ${name}`,
      restore: restoreCommands(fetch, `${fileName(dump.database)}.dump`, dump.database),
    };
  };
}
