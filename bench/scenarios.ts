import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** One way to start an action, up to the request that the scenario is about. */
export interface Scenario {
  readonly action: string;
  /** What is asked for at the end, in words. */
  readonly until: string;
  /** Whether that is the first request of all, for which there is a target. */
  readonly isFirst: boolean;
  /** Writes the workspace into `home` and gives the inputs; every service is at `url`. */
  inputs(url: string, home: string): Readonly<Record<string, string>>;
  env(url: string): Readonly<Record<string, string>>;
  /** The answer to what comes before; `undefined` for the request that the scenario ends with. */
  answer(requested: string): string | undefined;
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
const SESSION = `<R><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>session</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></R>`;

const deploy = {
  action: 'deploy-eks',
  inputs(_url: string, home: string) {
    writeFileSync(path.join(home, 'app.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bench\n');
    return { cluster: 'bench', region: 'eu-central-1', manifests: 'app.yaml', namespace: 'default' };
  },
};
const deployWithRole = {
  ...deploy,
  inputs: (url: string, home: string) => ({
    ...deploy.inputs(url, home),
    'role-to-assume': 'arn:aws:iam::123456789012:role/deploy',
  }),
  env: (url: string) => ({
    ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?v=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request',
  }),
};

/** The starts that teams wait for. */
export const scenarios: readonly Scenario[] = [
  {
    ...deploy,
    until: 'the cluster (keys in the environment)',
    isFirst: true,
    env: () => KEYS,
    answer: () => undefined,
  },
  { ...deployWithRole, until: 'the OIDC token', isFirst: true, answer: () => undefined },
  {
    ...deployWithRole,
    until: 'the cluster, after token and role',
    isFirst: false,
    answer: (requested) =>
      requested.startsWith('/token') ? '{"value":"a.b.c"}' : requested === '/' ? SESSION : undefined,
  },
  {
    action: 'deploy-web',
    until: 'the bucket (keys in the environment)',
    isFirst: true,
    inputs(_url, home) {
      mkdirSync(path.join(home, 'dist'));
      writeFileSync(path.join(home, 'dist', 'index.html'), '<!doctype html>');
      return { site: 'dist', bucket: 'bench', region: 'eu-central-1' };
    },
    env: () => KEYS,
    answer: () => undefined,
  },
  {
    action: 'build-node',
    until: 'the base image',
    isFirst: true,
    inputs(url, home) {
      const project = { name: 'bench', version: '1.0.0' };
      const lock = { ...project, lockfileVersion: 3, requires: true, packages: { '': project } };
      writeFileSync(path.join(home, 'package.json'), JSON.stringify({ ...project, main: 'index.js' }));
      writeFileSync(path.join(home, 'package-lock.json'), JSON.stringify(lock));
      writeFileSync(path.join(home, 'index.js'), '');
      const { host } = new URL(url);
      return { directory: '.', image: 'bench', region: 'eu-central-1', 'base-image': `${host}/node:24-slim` };
    },
    env: () => KEYS,
    answer: () => undefined,
  },
];
