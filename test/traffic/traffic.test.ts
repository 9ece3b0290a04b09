import { describe, expect, test } from '@jest/globals';
import type { Kube } from '../../src/kube/kube.ts';
import { interruptible } from '../../src/traffic/interruptible.ts';
import type { Router } from '../../src/traffic/router.ts';
import { ALB_ACTIONS, type RoutedKind, type TrafficPlan, reachedBy, trafficRights } from '../../src/traffic/traffic.ts';
import { never } from './shop.ts';

const kinds: readonly RoutedKind[] = ['replicas', 'gateway-api', 'alb', 'istio', 'nginx'];
const planOf = (kind: RoutedKind, pods: number): TrafficPlan => ({ kind, pods }) as unknown as TrafficPlan;

describe('the shares that are really reached', () => {
  test.each<[RoutedKind, number, number, number, number, number]>([
    ['replicas', 2, 5, 5, 25, 25],
    ['replicas', 18, 5, 5, 5, 5],
    ['replicas', 4, 100, 0, 50, 0],
    ['gateway-api', 2, 5, 5, 5, 5],
    ['gateway-api', 2, 0.25, 0.25, 0.3, 0.3],
    ['istio', 2, 60, 40, 60, 40],
    ['alb', 2, 0.5, 0.5, 1, 1],
    ['alb', 2, 12.4, 12.4, 12, 12],
    ['nginx', 10, 20, 20, 20, 20],
    ['nginx', 2, 0.1, 0.1, 0.5, 0.5],
    ['nginx', 10, 60, 40, 60, 40],
    ['nginx', 3, 20, 0, 20, 0],
  ])('%s with %d pods: %d and %d come to %d and %d', (kind, pods, canary, baseline, reachedCanary, reachedBaseline) => {
    expect(reachedBy(planOf(kind, pods), { canary, baseline })).toEqual({
      canary: reachedCanary,
      baseline: reachedBaseline,
    });
  });

  test('whatever is asked for, no share is below nothing, both are at most all, and nothing asked for is nothing', () => {
    for (const kind of kinds) {
      expect(reachedBy(planOf(kind, 3), { canary: 0, baseline: 0 })).toEqual({ canary: 0, baseline: 0 });
      for (let canary = 0.5; canary <= 100; canary += 0.5) {
        const reached = reachedBy(planOf(kind, 3), { canary, baseline: Math.min(canary, 100 - canary) });
        expect(Math.min(reached.canary, reached.baseline)).toBeGreaterThanOrEqual(0);
        expect(reached.canary).toBeGreaterThan(0);
        expect(reached.canary + reached.baseline).toBeLessThanOrEqual(100 + 1e-9);
      }
    }
  });
});

describe('a take-back has the last word', () => {
  /** A router whose shift sends its patch although it is stopped, as one on its way to the server can't be. */
  function late(): { readonly router: Router; readonly said: string[]; readonly arrive: () => void } {
    const said: string[] = [];
    let arrive = (): void => undefined;
    const nothing = async (): Promise<void> => undefined;
    const router: Router = {
      restore: [],
      prepare: nothing,
      remove: nothing,
      async shift(_kube, { canary }, signal) {
        await new Promise<void>((resolve) => void (arrive = resolve));
        said.push(`${canary} %`);
        signal.throwIfAborted();
        said.push('goes on');
      },
      takeBack: async () => void said.push('taken back'),
    };
    return { router: interruptible(router), said, arrive: () => arrive() };
  }
  const kube = {} as Kube;

  test('over a patch that was sent before and comes after', async () => {
    const { router, said, arrive } = late();
    const shifting = router.shift(kube, { canary: 5, baseline: 5 }, never).catch(String);
    const taking = router.takeBack(kube);
    expect(said).toEqual(['taken back']);
    arrive();
    await taking;
    expect(said).toEqual(['taken back', '5 %', 'taken back']);
    expect(await shifting).toContain('the traffic is taken back');
  });

  test('and once is enough where nothing was under way', async () => {
    const { router, said } = late();
    await router.takeBack(kube);
    expect(said).toEqual(['taken back']);
  });
});

test('each kind asks for no more than namespaced rights by name, and never for all', () => {
  for (const kind of kinds) {
    const rules = trafficRights(kind);
    expect(rules.flatMap(({ verbs, resource, group }) => [...verbs, resource, group])).not.toContain('*');
    expect(new Set(rules.map(({ group, resource }) => `${group}/${resource}`)).size).toBe(rules.length);
    expect(rules.map(({ resource }) => resource)).not.toContain('secrets');
  }
  expect(trafficRights('gateway-api').map(({ resource }) => resource)).not.toContain('ingresses');
  expect(trafficRights('gateway-api').find(({ resource }) => resource === 'pods')?.verbs).toEqual(['list', 'watch']);
  expect(ALB_ACTIONS.every((one) => one.startsWith('elasticloadbalancing:Describe'))).toBe(true);
});
