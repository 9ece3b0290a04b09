import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { KubeObject } from '../../src/kube/kube.ts';
import { type Readiness, readiness } from '../../src/kube/readiness/readiness.ts';

const CASES = new URL('../../../shared/conformance/kstatus.json', import.meta.url);
const NOW = Date.parse('2026-11-01T00:00:00Z');
const SAME: Readonly<Record<string, Readiness['state']>> = {
  Current: 'current',
  InProgress: 'progressing',
  Failed: 'failed',
  Terminating: 'terminating',
};

/** Where a deploy needs another answer than kstatus gives, and why. */
const DIFFERENT: Readonly<Record<string, { state: Readiness['state']; why: string }>> = {
  serviceLBok: { state: 'progressing', why: 'a cluster IP is no address outside the cluster' },
  podCompletedFailed: { state: 'failed', why: 'a Pod that failed does not do what it was deployed for' },
  jobInProgress: { state: 'progressing', why: 'a Job that runs may still fail' },
  rsReplicaFailure: { state: 'failed', why: 'pods that quota or admission refuse do not come by waiting' },
};

interface Case {
  readonly name: string;
  readonly yaml: string;
  readonly expectedStatus: string;
}

const present = existsSync(CASES);
const cases: readonly Case[] = present ? (JSON.parse(readFileSync(CASES, 'utf8')) as { cases: Case[] }).cases : [];

(present ? describe : describe.skip)('the public cases of kstatus', () => {
  test('are all there', () => expect(cases.length).toBe(53));
  for (const { name, yaml, expectedStatus } of cases) {
    const different = DIFFERENT[name];
    test(`${name}${different === undefined ? '' : `: ${different.why}`}`, () => {
      const object = load(yaml.replace('%s', new Date(NOW).toISOString()), { json: true }) as KubeObject;
      expect(readiness(object, NOW).state).toBe(different?.state ?? SAME[expectedStatus]);
    });
  }
});

describe('readiness', () => {
  test.each([
    ['ImagePullBackOff', 'failed'],
    ['ContainerCreating', 'progressing'],
  ])('takes a Pod that waits with %s as %s', (reason, state) => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      status: { phase: 'Pending', containerStatuses: [{ name: 'a', state: { waiting: { reason } } }] },
    };
    expect(readiness(pod, NOW).state).toBe(state);
  });

  test('a paused Deployment fails at once when its new version waits for that, and serves when it does not', () => {
    const conditions = [{ type: 'Available', status: 'True' }];
    const counts = { replicas: 2, availableReplicas: 2, readyReplicas: 2, conditions };
    const paused = (updatedReplicas: number): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { replicas: 2, paused: true, progressDeadlineSeconds: 600 },
      status: { ...counts, updatedReplicas },
    });
    expect(readiness(paused(0), NOW)).toMatchObject({ state: 'failed', reason: 'Paused' });
    expect(readiness(paused(2), NOW).state).toBe('current');
  });

  test('an autoscaler without metrics keeps no deploy waiting, one without a target does', () => {
    const scaler = (...conditions: object[]): KubeObject => ({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a' },
      status: { conditions },
    });
    const able = { type: 'AbleToScale', status: 'True' };
    const blind = { type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric' };
    expect(readiness(scaler(able, blind), NOW).state).toBe('current');
    expect(readiness(scaler({ ...able, status: 'False', reason: 'FailedGetScale' }), NOW).state).toBe('progressing');
    expect(readiness(scaler(), NOW).state).toBe('progressing');
  });

  test('an Ingress is current once it has an address', () => {
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'a' } };
    expect(readiness(ingress, NOW).state).toBe('progressing');
    const status = { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } };
    expect(readiness({ ...ingress, status }, NOW)).toMatchObject({ state: 'current', message: 'at lb.example' });
  });

  test('an object that is being deleted is terminating', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', deletionTimestamp: 'x' } };
    expect(readiness(object, NOW).state).toBe('terminating');
  });
});
