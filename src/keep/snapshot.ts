import { UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { Rds, Snapshot, Source } from '../aws/rds.ts';

export interface SnapshotOptions {
  /** Milliseconds to wait for it. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const LOOK_MS = 10_000;
/** A name that RDS takes has at most 255 characters (CreateDBSnapshot). */
const MAX_NAME = 255;

/** The text of the input `snapshot`: `rds:orders` is an instance, `rds-cluster:orders` a cluster such as Aurora's. */
export function parseSource(text: string): Source {
  const [, kind, name] = /^(rds|rds-cluster):([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/i.exec(text) ?? [];
  if (name === undefined) throw new Error('names neither rds:<instance> nor rds-cluster:<cluster>');
  return { kind: kind === 'rds' ? 'instance' : 'cluster', name };
}

/** The snapshot's name: that of the run's attempt, so that the same one is never taken twice. */
export function snapshotName(source: Source, runId: string, attempt: string): string {
  const end = `-before-migration-${runId || '0'}-${attempt || '1'}`;
  return `${source.name.slice(0, MAX_NAME - end.length).replace(/-+$/, '')}${end}`;
}

/**
 * Takes a snapshot and awaits it: until RDS has it whole, it cannot bring anything back.
 * @throws UserError when RDS refuses, it fails, or it is not there in time
 */
export async function takeSnapshot(
  rds: Rds,
  source: Source,
  name: string,
  tags: Readonly<Record<string, string>>,
  { timeout, clock, signal, onProgress }: SnapshotOptions,
): Promise<Snapshot> {
  const began = clock.now();
  let snapshot = await rds.start(source, name, tags);
  for (let told = ''; snapshot.status !== 'available';) {
    const line = `snapshot ${name}: ${snapshot.status}, ${snapshot.progress} %`;
    if (line !== told) onProgress(line);
    told = line;
    if (/^(failed|incompatible|deleting|cancel)/.test(snapshot.status)) {
      throw new UserError(`The snapshot ${name} of ${source.name} came to nothing: RDS calls it ${snapshot.status}`, {
        remedy: "RDS's events of the database say why. Nothing was migrated.",
      });
    }
    if (clock.now() - began >= timeout) {
      throw new UserError(
        `The snapshot ${name} of ${source.name} was at ${snapshot.progress} % after ${Math.round(timeout / 1000)} s`,
        { remedy: 'Raise snapshot-timeout, or run again: it goes on by itself. Nothing was migrated.' },
      );
    }
    await clock.sleep(Math.min(LOOK_MS, timeout), signal);
    snapshot = await rds.look(source, name);
  }
  onProgress(`snapshot ${name}: available after ${Math.round((clock.now() - began) / 1000)} s`);
  return snapshot;
}

/**
 * The command that brings it back, beside the database that is there: RDS restores into a new one, and moving the
 * service over is a decision for people.
 */
export function restoreCommand({ name, source }: Snapshot, region: string): string {
  const [verb, target, snapshot] =
    source.kind === 'cluster'
      ? ['restore-db-cluster-from-snapshot', '--db-cluster-identifier', '--snapshot-identifier']
      : ['restore-db-instance-from-db-snapshot', '--db-instance-identifier', '--db-snapshot-identifier'];
  return `aws rds ${verb} --region ${region} ${target} ${source.name}-restored ${snapshot} ${name}`;
}
