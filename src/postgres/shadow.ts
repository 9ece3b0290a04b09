import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { findBinaries } from './binaries.ts';
import type { Connection } from './database.ts';
import { startPglite } from './pglite.ts';
import { startServer } from './server.ts';
import { useService } from './service.ts';
import type { ShadowServer } from './shadow-server.ts';

/** What a rehearsal would like to have. */
export interface ShadowWish {
  /** The target's major version. */
  readonly major?: number;
  /** A server that is named for it. */
  readonly service?: Connection;
}

/**
 * The server that is named for it, alone: it may hold extensions that no other has. Without one, installed binaries, those
 * of the target's major version first; else PGlite.
 * @throws UserError where the named one is not to be used, or none is to be had, which tells each reason
 */
export async function provideShadow({ major, service }: ShadowWish, host: Host): Promise<ShadowServer> {
  if (service !== undefined) return useService(service, host);
  const binaries = await findBinaries(host.env, major);
  const refused: string[] = [];
  const ways = [
    ...(binaries === undefined ? [] : [async () => startServer({ ...(major !== undefined && { major }) }, host)]),
    async () => startPglite(host),
  ];
  for (const way of ways) {
    try {
      return await way();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      host.log.info(`no rehearsal there: ${messageOf(error)}`);
      refused.push(messageOf(error));
    }
  }
  throw new UserError(`there is no PostgreSQL to rehearse on:\n${refused.join('\n')}`, {
    remedy: 'Install the package postgresql in a step before, or name a server for rehearsals.',
  });
}
