import { execFileSync } from 'node:child_process';

const KEPT = /^(?:npm_config_registry|(?:https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;

/** How this machine reaches its registry of packages, for a run of the action with a HOME of its own. */
export function registrySettings(home: string): Readonly<Record<string, string>> {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', cwd: home }).trim();
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => KEPT.test(entry[0]));
  // Each manager has its own name for the same setting.
  return {
    ...Object.fromEntries(own),
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ''),
    BUN_CONFIG_REGISTRY: registry,
  };
}
