import type { Migration } from '../migration/migration.ts';
import type { Session } from '../postgres/connect.ts';
import type { MigratorLock } from '../postgres/advisory-lock.ts';
import type { Connection } from '../postgres/database.ts';
import type { Host } from '../action/host.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { Leftovers } from './leftovers.ts';
import type { Limits } from './limits.ts';
import type { AppliedMigration } from './report.ts';
import type { Moment } from './run-script.ts';

/** What of the host applying needs. */
export type ApplyHost = Pick<Host, 'exec' | 'log' | 'clock' | 'signal' | 'info' | 'env'>;

/** Gives the connection anew for each session: a token of IAM is good for 15 minutes. */
export type ConnectionSource = () => Promise<Connection>;

/** What stopped a try. */
export interface Stopped {
  readonly migration?: Migration;
  readonly statement?: {
    readonly file: string;
    readonly line?: number;
    readonly sql: string;
    readonly seconds: number;
  };
  /** A SqlError where the server refused. */
  readonly error: unknown;
  readonly left: 'nothing' | 'part';
  readonly leftStatements: readonly string[];
  /** Doing it again begins where it stopped. */
  readonly resumes: boolean;
}

/** What came of a try. */
export interface Attempted {
  readonly applied: readonly AppliedMigration[];
  readonly stopped?: Stopped;
}

/** Applies what is pending, as far as it gets. */
export type Attempt = (pending: readonly Migration[], number: number) => Promise<Attempted>;

/** What both ways of applying, by a tool and by this product, work with. */
export interface Scene {
  readonly host: ApplyHost;
  readonly tool: Tool;
  readonly found: Found;
  /** All that the tool has. */
  readonly migrations: readonly Migration[];
  /** The tool may apply only what an attempt is given, and not all that it finds. */
  readonly stops: boolean;
  readonly limits: Limits;
  readonly source: ConnectionSource;
  readonly control: Session;
  readonly lock: MigratorLock;
  /** Is told each statement that works CONCURRENTLY, so that what it leaves is known for this run's own. */
  readonly leftovers: Leftovers;
  /** Of the advisory locks. */
  readonly space: number;
  /** How sessions that work are named to others. */
  readonly applicationName: string;
  /** Process ids of the sessions that work now. */
  readonly workers: Set<number>;
  /** Waits until replicas have caught up. */
  readonly between: () => Promise<void>;
  readonly moment: (moment: Moment) => void;
}

/** @throws when nothing more may be begun: the run was cancelled, or the lock of migrations is lost */
export function checkGoOn({ host, lock }: Pick<Scene, 'host' | 'lock'>): void {
  host.signal.throwIfAborted();
  lock.check();
}
