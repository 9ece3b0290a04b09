import type { Host } from '../action/host.ts';

/**
 * The job's right to identity tokens, which programs do not inherit, for the one that publishes: npm and uv exchange it
 * for the right to publish (trusted publishing). It must run no code of the project meanwhile.
 */
export function identityEnv(env: Host['env']): Readonly<Record<string, string>> {
  const names = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
