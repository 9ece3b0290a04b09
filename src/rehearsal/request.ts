import type { Host } from '../action/host.ts';
import type { Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { ShadowServer } from '../postgres/shadow-server.ts';
import type { SchemaFile } from './base.ts';

/** What is to be rehearsed, and on what. */
export interface RehearsalRequest {
  /** The repository's folder. */
  readonly workspace: string;
  readonly found: Found;
  readonly tool: Tool;
  /** All migrations in the order in which the tool applies them. */
  readonly migrations: readonly Migration[];
  /** Ids of those that are watched; the others only make what is there before them. */
  readonly pending: ReadonlySet<string>;
  /** What production has; without it the migrations that are not pending make it. */
  readonly schema?: SchemaFile;
  readonly server: ShadowServer;
  /** `sql` where the tool is not installed: then only what is written in SQL can be rehearsed. */
  readonly runBy: 'tool' | 'sql';
  /** Whether the ways back are tried. */
  readonly reverse: boolean;
  /** Seconds. */
  readonly timeouts: { readonly statement: number; readonly tool: number };
}

export type RehearsalHost = Pick<Host, 'exec' | 'log' | 'clock' | 'signal' | 'env'>;
