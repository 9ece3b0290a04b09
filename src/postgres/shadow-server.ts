import type { Connection } from './database.ts';

/** A server whose databases may be made and thrown away. */
export interface ShadowServer {
  readonly kind: 'binaries' | 'service' | 'pglite';
  /** `server_version_num`, such as 150018 for 15.18. */
  readonly version: number;
  /** Makes an empty database in UTF-8, and tells how its owner gets in: a superuser where the server allows that. */
  createDatabase(): Promise<Connection>;
  /** Ends the server where it was started for this, and removes all that was made. May be called again. */
  stop(): Promise<void>;
}
