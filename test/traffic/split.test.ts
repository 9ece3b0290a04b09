import { describe, expect, test } from '@jest/globals';
import { gatewayForm } from '../../src/traffic/gateway-api.ts';
import { type RouteRule, leadsTo, splitRules, unitsOf, withoutArms } from '../../src/traffic/split.ts';

const form = gatewayForm('shop');
const ref = (name: string, weight?: number) => ({ name, port: 80, ...(weight !== undefined && { weight }) });
const rule = (...backendRefs: readonly object[]): RouteRule => ({ matches: [{ path: { value: '/' } }], backendRefs });
const split = (rules: readonly RouteRule[], canary: number, baseline = canary): readonly RouteRule[] =>
  splitRules(rules, 'shop', { canary, baseline }, form);

test('one backend without a weight becomes three that come to a hundred', () => {
  expect(split([rule(ref('shop'))], 5)).toEqual([
    rule(ref('shop', 90), ref('shop-canary', 5), ref('shop-baseline', 5)),
  ]);
});

test('half percents are thousandths, and an arm without a share is left out', () => {
  expect(split([rule(ref('shop', 7))], 0.5, 0)).toEqual([rule(ref('shop', 995), ref('shop-canary', 5))]);
});

test('what goes to another backend keeps its proportion, and rules that lead elsewhere stay as they are', () => {
  const rules = [rule(ref('shop', 80), ref('old-shop', 20)), rule(ref('images'))];
  expect(split(rules, 10)).toEqual([
    rule(ref('shop', 320), ref('shop-canary', 40), ref('shop-baseline', 40), ref('old-shop', 100)),
    rule(ref('images')),
  ]);
});

test('a Service of the same name in another namespace is another one', () => {
  const elsewhere = rule({ ...ref('shop'), namespace: 'other' });
  expect(leadsTo(elsewhere, 'shop', form)).toBe(false);
  expect(split([elsewhere, rule(ref('shop'))], 5)[0]).toEqual(elsewhere);
});

test('without the arms the rules are the original ones to the letter, and keep what others changed', () => {
  const original = [rule(ref('shop', 80), ref('old-shop', 20))];
  expect(withoutArms(split(original, 10), 'shop', form, original)).toBe(original);
  const changed = [...split(original, 10), rule(ref('images'))];
  expect(withoutArms(changed, 'shop', form, original)).toEqual([
    rule(ref('shop', 4), ref('old-shop', 1)),
    rule(ref('images')),
  ]);
});

/** Reproducible numbers from 0 to `below`. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
}

describe('whatever the weights', () => {
  const cases = Array.from({ length: 300 }, (_, seed) => {
    const next = numbers(seed + 1);
    const others = Array.from({ length: next(3) }, (_one, index) => ref(`other-${index}`, next(50)));
    const backends = [ref('shop', next(2) === 0 ? undefined : 1 + next(50)), ...others];
    const canary = next(2) === 0 ? 1 + next(100) : (1 + next(1000)) / 10;
    const baseline = Math.min(canary, 100 - canary);
    return { rules: [rule(...backends), rule(ref('images'))], canary, baseline };
  });
  const weightsOf = ([first]: readonly RouteRule[]): Record<string, number> => {
    const ways = (first?.['backendRefs'] ?? []) as { name: string; weight?: number }[];
    return Object.fromEntries(ways.map(({ name, weight = 1 }) => [name, weight]));
  };
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

  test('each share is exact, others keep theirs, and the way back and from step to step loses nothing', () => {
    for (const { rules, canary, baseline } of cases) {
      const after = split(rules, canary, baseline);
      const [was, is] = [weightsOf(rules), weightsOf(after)];
      const [before, now] = [sum(Object.values(was)), sum(Object.values(is))];
      expect(Object.values(is).every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 1e6)).toBe(true);
      for (const name of Object.keys(was).filter((one) => one !== 'shop')) {
        expect((is[name] ?? 0) / now).toBeCloseTo((was[name] ?? 0) / before, 9);
      }
      const share = (was['shop'] ?? 0) / before;
      expect((is['shop-canary'] ?? 0) / now).toBeCloseTo((share * canary) / 100, 9);
      expect((is['shop-baseline'] ?? 0) / now).toBeCloseTo((share * baseline) / 100, 9);
      expect(withoutArms(after, 'shop', form, rules)).toEqual(rules);
      expect(split(split(rules, 1 + (canary % 40)), canary, baseline)).toEqual(after);
    }
  });

  test('whole units come to all', () => {
    for (const { canary, baseline } of cases) {
      const { all, stable, ...of } = unitsOf({ canary, baseline });
      expect(stable + of.canary + of.baseline).toBe(all);
      expect(stable).toBeGreaterThanOrEqual(0);
    }
  });
});
