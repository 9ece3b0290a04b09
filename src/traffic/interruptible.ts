import type { Router } from './router.ts';

/**
 * The same router, whose `takeBack` has the last word: a shift that is under way is stopped, and what it had sent
 * already, which may reach the server after the patch that takes back, is followed by that patch once more.
 */
export function interruptible(router: Router): Router {
  let stop = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function tracked(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const working = work(AbortSignal.any([signal, stop.signal]));
    underWay.add(working);
    try {
      await working;
    } finally {
      underWay.delete(working);
    }
  }

  return {
    restore: router.restore,
    prepare: async (kube, signal) => tracked(async (both) => router.prepare(kube, both), signal),
    shift: async (kube, weights, signal) => tracked(async (both) => router.shift(kube, weights, both), signal),
    async takeBack(kube) {
      const interrupted = [...underWay];
      stop.abort(new Error('the traffic is taken back'));
      stop = new AbortController();
      await router.takeBack(kube);
      if (interrupted.length === 0) return;
      await Promise.allSettled(interrupted);
      await router.takeBack(kube);
    },
    remove: async (kube, signal) => router.remove(kube, signal),
  };
}
