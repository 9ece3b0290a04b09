import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../src/kube/kube.ts';
import { keysOf, missingConfig, named, variablesOf } from '../../src/kube/missing.ts';

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: {
    containers: [
      {
        name: 'a',
        env: [
          { name: 'URL', valueFrom: { secretKeyRef: { name: 'db', key: 'dsn' } } },
          { name: 'USER', valueFrom: { secretKeyRef: { name: 'db', key: 'user' } } },
          { name: 'OTHER', valueFrom: { configMapKeyRef: { name: 'db', key: 'dsn' } } },
        ],
      },
    ],
    volumes: [{ name: 'v', secret: { secretName: 'certificates', items: [{ key: 'tls.crt', path: 'x' }] } }],
  },
};

describe('what is missing', () => {
  test.each([
    ['secret "db" not found', { kind: 'Secret', name: 'db' }],
    ['configmap "web" not found', { kind: 'ConfigMap', name: 'web' }],
    ["couldn't find key dsn in Secret shop/db", { kind: 'Secret', name: 'db', key: 'dsn' }],
    ['MountVolume.SetUp failed for volume "c" : configmap "web" not found', { kind: 'ConfigMap', name: 'web' }],
    ['references non-existent secret key: tls.crt', { kind: 'Secret', name: '', key: 'tls.crt' }],
    ['MountVolume.SetUp failed for volume "c" : timed out', undefined],
  ])('is read from %j', (message, missing) => expect(missingConfig(message)).toEqual(missing));

  test('gets its name from the volume, when only the key was told', () => {
    expect(named({ kind: 'Secret', name: '', key: 'tls.crt' }, POD).name).toBe('certificates');
  });

  test('is told with the variables that read it', () => {
    expect(variablesOf({ kind: 'Secret', name: 'db', key: 'dsn' }, POD)).toEqual(['URL']);
    expect(variablesOf({ kind: 'Secret', name: 'db' }, POD)).toEqual(['URL', 'USER']);
    expect(variablesOf({ kind: 'ConfigMap', name: 'db', key: 'dsn' }, POD)).toEqual(['OTHER']);
  });

  test('is told with the names of keys, never with a value', () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, data: { url: 'aHVzaA==' } };
    expect(keysOf(secret)).toEqual(['url']);
  });
});
