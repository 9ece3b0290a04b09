import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Part } from '../part.ts';
import { freePort } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';

/** GitHub's REST API for what the actions call, and the OIDC tokens of jobs, on loopback. */
export const github: Part<'github'> = {
  name: 'github',
  needs: [],
  missing: async () => [],
  async up(context) {
    const { facts, state } = context;
    if (facts.github !== undefined && (await isRunning(state, 'github'))) return facts.github;
    await stop(state, 'github');
    await mkdir(state, { recursive: true });
    const apiUrl = `http://127.0.0.1:${await freePort()}`;
    const [token, idTokenRequestToken] = ['lab-token', 'lab-id-token'];
    const server = fileURLToPath(new URL('github-server.ts', import.meta.url));
    await start(state, 'github', process.execPath, [server, new URL(apiUrl).port, token, idTokenRequestToken]);
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${apiUrl}/_lab/requests`).catch(() => undefined);
      if (answer?.ok === true) break;
      if (tries === 150) throw new Error(`The GitHub server does not serve; its log is in ${state}`);
      await sleep(200);
    }
    context.progress(`serves on ${apiUrl}`);
    return { apiUrl, idTokenUrl: `${apiUrl}/_lab/id-token?lab=1`, idTokenRequestToken, token, control: apiUrl };
  },
  async down({ state }) {
    await stop(state, 'github');
    await rm(state, { recursive: true, force: true });
  },
  status: async ({ facts, state }) =>
    (await isRunning(state, 'github')) ? `up on ${facts.github?.apiUrl ?? 'an unknown port'}` : 'down',
};
