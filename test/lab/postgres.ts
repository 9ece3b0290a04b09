import { findBinaries } from '../../src/postgres/binaries.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { install, mayInstall } from './debian.ts';
import { locked } from './lock.ts';
import { bringMissing } from './missing.ts';

/** Installs PostgreSQL where that may be done unasked. @throws Error that says how to install it */
export async function bringPostgres(): Promise<void> {
  const part = {
    name: 'PostgreSQL',
    missing: async () =>
      (await findBinaries(process.env)) === undefined ? [{ what: 'its server', packages: ['postgresql'] }] : [],
  };
  await locked('debian packages', async () => bringMissing([part], mayInstall() ? install : undefined));
}

/** The connection as a URL, as most clients take it. */
export function urlOf({ host, port, user, password, database }: Omit<Connection, 'tls'>): string {
  return `postgresql://${user}:${password}@${host}:${port}/${database}`;
}
