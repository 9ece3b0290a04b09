import { describe, expect, test } from '@jest/globals';
import type { Doom } from '../../src/kube/doom.ts';
import { explain } from '../../src/kube/explain.ts';

const doom = (kind: Doom['kind'], message: string): Doom => ({
  kind,
  reason: 'X',
  message,
  pod: 'api-1',
  container: 'api',
});
const said = (cause: Doom): string => Object.values(explain({ cause, containers: [], events: [] })).join(' ');

describe('explain', () => {
  test.each([
    [doom('missing-config', 'secret "db" not found'), 'Create the Secret db'],
    [doom('missing-config', "couldn't find key URL in ConfigMap shop/web"), 'Add the key URL to the ConfigMap web'],
    [doom('out-of-memory', ''), 'resources.limits.memory'],
    [doom('unschedulable', '0/3 nodes are available: 3 Insufficient cpu.'), 'short of cpu: ask'],
    [doom('refused', 'exceeded quota: q'), 'ResourceQuota'],
    [doom('image-not-found', 'a:1 not found'), 'a:1 not found'],
  ])('%j says "%s"', (cause, text) => expect(said(cause)).toContain(text));

  test('a crash is told by the first line of the log that is an error', () => {
    const container = {
      pod: 'api-1',
      container: 'api',
      state: 'waiting: CrashLoopBackOff',
      exitCode: 1,
      restarts: 2,
      log: [],
      previousLog: ['starting', "Error: Cannot find module 'x'", '    at main'],
    };
    const { why } = explain({ cause: doom('crash', ''), containers: [container], events: [] });
    expect(why).toBe("The container api crashes after it starts with exit code 1: Error: Cannot find module 'x'");
  });

  test('a crash is told by its log although a probe fails meanwhile, unless the probe ended the container', () => {
    const about = (reason: string, message: string) => ({
      object: 'Pod/api-1',
      type: 'Warning',
      reason,
      message,
      count: 2,
    });
    const container = { pod: 'api-1', container: 'api', state: 'terminated: Error', exitCode: 1, restarts: 1 };
    const containers = [{ ...container, log: ['Error: DATABASE_URL is not set'], previousLog: [] }];
    const failing = about('Unhealthy', 'Startup probe failed: Get "http://10.0.0.1:80/healthz": connection refused');
    const crash = { cause: doom('crash', ''), containers };
    expect(explain({ ...crash, events: [failing] }).why).toContain('Error: DATABASE_URL is not set');
    const killing = about('Killing', 'Container api failed startup probe, will be restarted');
    expect(explain({ ...crash, events: [failing, killing] }).why).toContain(
      'startup probe fails at port 80, path /healthz',
    );
  });

  test('a probe is told by its port, path and status', () => {
    const event = {
      object: 'Pod/api-1',
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
      count: 3,
    };
    const { why } = explain({ cause: doom('deadline', 'too late'), containers: [], events: [event] });
    expect(why).toBe('The readiness probe fails: the service answers with status 503');
  });
});
