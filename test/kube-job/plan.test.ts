import { describe, expect, test } from '@jest/globals';
import { jobName, planJob } from '../../src/kube-job/plan.ts';
import { at, itemsAt } from '../../src/kube/fields.ts';
import type { KubeObject } from '../../src/kube/kube.ts';

const workload: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'tracking-api', namespace: 'shop' },
  spec: {
    template: {
      metadata: { labels: { app: 'tracking-api' }, annotations: { 'proxy.istio.io/config': '{}' } },
      spec: {
        serviceAccountName: 'tracking',
        initContainers: [{ name: 'warm', image: 'warm' }],
        containers: [
          {
            name: 'api',
            image: 'registry/tracking-api@sha256:old',
            command: ['node', 'server.js'],
            env: [
              { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'tracking-db', key: 'url' } } },
              { name: 'LOG_LEVEL', value: 'debug' },
            ],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/', port: 8080 } },
            lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
            securityContext: { privileged: true, runAsUser: 1000 },
          },
          { name: 'proxy', image: 'proxy' },
        ],
      },
    },
  },
};
const wish = {
  name: 'tracking-api-migrate-7-1',
  workload,
  command: ['node', 'migrate.js', '$(touch /tmp/x)'],
  env: { LOG_LEVEL: 'info' },
  timeout: 90_500,
  origin: { 'delivery-actions/run': 'https://example.com/runs/7' },
};
const pod = (job: KubeObject): unknown => at(job, 'spec', 'template', 'spec');
const container = (job: KubeObject): unknown => itemsAt(pod(job), 'containers')[0];

describe('a Job made from a workload', () => {
  test('is what the workload is to the database, and nothing of what makes it a server', () => {
    const job = planJob({ ...wish, image: 'registry/tracking-api@sha256:new' });
    expect(itemsAt(pod(job), 'containers')).toHaveLength(1);
    expect(at(pod(job), 'initContainers')).toBeUndefined();
    expect(at(pod(job), 'serviceAccountName')).toBe('tracking');
    const made = container(job) as Record<string, unknown>;
    expect(made['image']).toBe('registry/tracking-api@sha256:new');
    expect(made['command']).toEqual(wish.command);
    expect(made['env']).toEqual([
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'tracking-db', key: 'url' } } },
      { name: 'LOG_LEVEL', value: 'info' },
    ]);
    for (const field of ['ports', 'readinessProbe', 'lifecycle']) expect(made[field]).toBeUndefined();
  });

  test('gets no requests of the workload’s Service, and no proxy beside it that would never end', () => {
    const template = at(planJob(wish), 'spec', 'template', 'metadata') as Record<string, object>;
    expect(template['labels']).not.toHaveProperty('app');
    expect(template['annotations']).toMatchObject({ 'sidecar.istio.io/inject': 'false' });
  });

  test('is started once, ends in time by itself, and has no privilege', () => {
    const job = planJob(wish);
    expect(job['spec']).toMatchObject({ backoffLimit: 0, completions: 1, activeDeadlineSeconds: 91 });
    expect(pod(job)).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
    expect(at(container(job), 'securityContext')).toEqual({
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsUser: 1000,
    });
  });

  test('takes the container that is named, and says which there are when it is missing', () => {
    expect(container(planJob({ ...wish, container: 'proxy' }))).toMatchObject({ image: 'proxy' });
    expect(() => planJob({ ...wish, container: 'nope' })).toThrow('Deployment/tracking-api has no container "nope"');
    expect(() => planJob({ ...wish, workload: { ...workload, kind: 'Service' } })).toThrow('runs no pods');
  });
});

describe('its name', () => {
  test('is the same for the same attempt of a run, and another for the next', () => {
    expect(jobName('Tracking API', 'migrate', '123', '2')).toBe('tracking-api-migrate-123-2');
    expect(jobName('tracking-api', 'migrate', '123', '3')).not.toBe(jobName('tracking-api', 'migrate', '123', '2'));
  });

  test('leaves room for the names of its pods, however long the service’s is', () => {
    const name = jobName('x'.repeat(80), 'migrate', '12345678901', '10');
    expect(name).toMatch(/^x+-migrate-12345678901-10$/);
    expect(name.length).toBeLessThanOrEqual(57);
  });
});
