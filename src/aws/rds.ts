import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, isDenied, missingAction, told } from './errors.ts';
import { serviceHost } from './partition.ts';
import { AwsError, openRest } from './rest.ts';
import { element } from './xml.ts';

/** A database of RDS that can be kept in a snapshot: a single instance, or a cluster such as Aurora's. */
export interface Source {
  readonly kind: 'instance' | 'cluster';
  readonly name: string;
}

/** A snapshot as RDS tells it. `progress` in percent. */
export interface Snapshot {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  readonly progress: number;
  readonly source: Source;
}

/** What is asked of RDS. Refusals are UserErrors that name the database and the IAM action. */
export interface Rds {
  /** Starts a snapshot; one of that name that is there already is taken as the one that was started. */
  start(source: Source, name: string, tags: Readonly<Record<string, string>>): Promise<Snapshot>;
  look(source: Source, name: string): Promise<Snapshot>;
}

/** Of the Query API (RDS API reference, version). */
const VERSION = '2014-10-31';

export function openRds(
  credentials: CredentialSource,
  region: string,
  host: Pick<Host, 'env' | 'signal' | 'clock'>,
): Rds {
  const endpoint = endpointOf(host.env, 'RDS') ?? `https://${serviceHost('rds', region)}`;
  const options = { credentials, clock: host.clock, signal: host.signal, proxyEnv: host.env };
  const rest = openRest({ name: 'rds', endpoint, region }, options);

  const ask = async (action: string, source: Source, parameters: Readonly<Record<string, string>>): Promise<string> => {
    const body = new URLSearchParams({ Action: action, Version: VERSION, ...parameters }).toString();
    try {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await rest({ method: 'POST', path: '/', headers, body })).body.toString('utf8');
    } catch (error) {
      host.signal.throwIfAborted();
      throw error instanceof AwsError ? explain(error, action, source, region) : error;
    }
  };

  const look = async (source: Source, name: string): Promise<Snapshot> => {
    const words = wordsOf(source);
    return read(await ask(words.describe, source, { [words.snapshotId]: name }), source, name);
  };

  return {
    async start(source, name, tags) {
      const words = wordsOf(source);
      const tagged = Object.entries(tags).flatMap(([key, value], at) => [
        [`Tags.Tag.${at + 1}.Key`, key],
        [`Tags.Tag.${at + 1}.Value`, value],
      ]);
      const parameters = { [words.snapshotId]: name, [words.sourceId]: source.name, ...Object.fromEntries(tagged) };
      try {
        return read(await ask(words.create, source, parameters), source, name);
      } catch (error) {
        if (error instanceof UserError && error.cause instanceof AwsError && /AlreadyExists/.test(error.cause.name))
          return look(source, name);
        throw error;
      }
    },
    look,
  };
}

interface Words {
  readonly create: string;
  readonly describe: string;
  readonly snapshotId: string;
  readonly sourceId: string;
}

function wordsOf({ kind }: Source): Words {
  const db = kind === 'cluster' ? 'DBCluster' : 'DB';
  return {
    create: `Create${db}Snapshot`,
    describe: `Describe${db}Snapshots`,
    snapshotId: `${db}SnapshotIdentifier`,
    sourceId: kind === 'cluster' ? 'DBClusterIdentifier' : 'DBInstanceIdentifier',
  };
}

function read(xml: string, source: Source, name: string): Snapshot {
  const status = element(xml, 'Status');
  if (status === undefined) throw new Error(`RDS answered without the status of the snapshot ${name}`);
  const arn = element(xml, source.kind === 'cluster' ? 'DBClusterSnapshotArn' : 'DBSnapshotArn') ?? '';
  return { name, arn, status, progress: Number(element(xml, 'PercentProgress') ?? 0), source };
}

function explain(error: AwsError, action: string, { kind, name }: Source, region: string): UserError {
  const fault = credentialFault(error);
  if (fault !== undefined) return fault;
  if (isDenied(error)) {
    return new UserError(`The role may not keep the RDS ${kind} ${name} in a snapshot: ${told(error)}`, {
      remedy: `Allow the IAM action ${missingAction(error, `rds:${action}`)} on the ${kind} and on its snapshots.`,
      cause: error,
    });
  }
  if (/NotFound/.test(error.name)) {
    return new UserError(`There is no RDS ${kind} ${name} in ${region}`, {
      remedy: 'Check the input snapshot (rds:<instance> or rds-cluster:<cluster>) and the region.',
      cause: error,
    });
  }
  if (/^Invalid\w+State/.test(error.name)) {
    return new UserError(`The RDS ${kind} ${name} takes no snapshot now: ${told(error)}`, {
      remedy: 'It is being changed or backed up: run this job again once it is available.',
      cause: error,
    });
  }
  return new UserError(`RDS refused ${action} for the ${kind} ${name} (${error.name}): ${told(error)}`, {
    remedy: 'What it says is what has to be mended; nothing was migrated.',
    cause: error,
  });
}
