import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BundleRun, runBundle } from '../run-bundle.ts';

const digest = `sha256:${'a'.repeat(64)}`;
let workspace = '';

beforeEach(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'deploy-eks-'));
  mkdirSync(path.join(workspace, 'k8s'));
  write('k8s/app.yaml', deployment('registry.example:5000/shop/api:1'));
  // Nothing listens on port 1: whoever gets that far has accepted everything before.
  write('kubeconfig', kubeconfig('https://127.0.0.1:1'));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

describe('bad input is refused before the cluster is asked', () => {
  test('all bad inputs are named at once', () => {
    const { exitCode, log } = deploy({
      cluster: 'prod; rm -rf /',
      timeout: 'soon',
      'on-failure': 'panic',
      namespace: '$(id)',
    });
    expect(exitCode).toBe(1);
    for (const name of ['cluster', 'timeout', 'on-failure', 'namespace']) expect(log).toContain(`input ${name} (`);
  });

  test.each(['a\nb', '`id`', '${{ secrets.TOKEN }}', '../../etc'])(
    'a cluster named %j is refused, not interpreted',
    (cluster) => {
      expect(deploy({ cluster, region: 'eu-central-1' }).log).toContain('input cluster (');
    },
  );

  test.each([
    [{}, 'input cluster is missing'],
    [{ cluster: 'c' }, 'input region is missing'],
    [{ cluster: 'c', region: 'eu-central-1', kubeconfig: 'kubeconfig' }, 'are both given'],
    [{ cluster: 'c', region: 'eu-central-1', 'role-to-assume': 'admin' }, 'arn:aws:iam::123456789012:role/deploy'],
    [{ kubeconfig: 'kubeconfig', manifests: 'nowhere/*.yaml' }, 'nowhere/*.yaml'],
    [{ kubeconfig: 'kubeconfig', images: `web=r@${digest}` }, 'no container of the manifests has an image named "web"'],
    [{ kubeconfig: 'kubeconfig', environment: 'production' }, 'k8s/app.yaml'],
    [{ kubeconfig: 'elsewhere' }, 'elsewhere'],
  ])('%j says %j', (inputs, said) => {
    const { exitCode, log, outputs } = deploy(inputs);
    expect(exitCode).toBe(1);
    expect(log).toContain(said);
    expect(log).not.toContain('against the cluster');
    expect(outputs).toEqual({});
  });

  test('YAML that does not parse is annotated at its file and line', () => {
    write('k8s/broken.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n');
    expect(deploy({ kubeconfig: 'kubeconfig' }).log).toMatch(/::error file=k8s\/broken\.yaml,line=\d/);
  });

  test('two documents of one identity are named with both places', () => {
    write('k8s/again.yaml', deployment('x'));
    const { log } = deploy({ kubeconfig: 'kubeconfig' });
    expect(log).toContain('k8s/again.yaml');
    expect(log).toContain('k8s/app.yaml');
  });

  test('a role without id-token: write gets the lines to add', () => {
    const { log } = deploy({
      cluster: 'c',
      region: 'eu-central-1',
      'role-to-assume': 'arn:aws:iam::123456789012:role/deploy',
    });
    expect(log).toContain('id-token: write');
  });

  test('an API server that does not answer is said so, and the token stays hidden', () => {
    const { exitCode, log } = deploy({
      kubeconfig: 'kubeconfig',
      images: `api=r.example/shop/api@${digest}`,
      environment: 'production',
    });
    expect(exitCode).toBe(1);
    expect(log).toContain("the API server can't be reached");
    expect(log.replace('::add-mask::top-secret', '')).not.toContain('top-secret');
  });
});

function deploy(inputs: Readonly<Record<string, string>>): BundleRun {
  const run = runBundle({ action: 'deploy-eks', inputs, workspace });
  return { ...run, log: decodeURIComponent(run.log.replaceAll(/%(?![0-9A-F]{2})/g, '%25')) };
}

function write(file: string, text: string): void {
  writeFileSync(path.join(workspace, file), text);
}

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: '${image}'}]}
`;
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 'top-secret' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });
}
