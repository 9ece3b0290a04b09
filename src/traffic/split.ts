import { isDeepStrictEqual } from 'node:util';
import { type Arm } from '../judge/metric.ts';
import { armName, arms } from '../arms/labels.ts';
import { isRecord, itemsAt, numberAt } from '../kube/fields.ts';
import type { Weights } from './router.ts';

/** A rule of a route: an HTTPRoute's, or one of a VirtualService's `http`. */
export type RouteRule = Readonly<Record<string, unknown>>;
/** One of the places that a rule sends requests to. */
type Way = Readonly<Record<string, unknown>>;

/** How a kind of route writes down where a rule's requests go. */
export interface RouteForm {
  /** The rule's field with the list of ways. */
  readonly field: string;
  /** Name of the Service that a way leads to, in the route's own namespace. */
  serviceOf(way: Way): string | undefined;
  withService(way: Way, name: string): Way;
  /** What a way without a weight weighs among so many. */
  impliedWeight(ways: number): number;
  /** Arms without a share keep a way of no weight, as what it leads to has to be there before and after. */
  readonly keepsArms?: boolean;
}

/** Shares as whole numbers: of a hundred, or of a thousand where they are no whole percents. */
export interface Units {
  readonly all: number;
  readonly stable: number;
  readonly canary: number;
  readonly baseline: number;
}

export function unitsOf({ canary, baseline }: Weights): Units {
  const all = Number.isInteger(canary) && Number.isInteger(baseline) ? 100 : 1000;
  const inUnits = (percent: number): number => Math.min(all, Math.max(0, Math.round((percent * all) / 100)));
  const of = { canary: inUnits(canary), baseline: Math.min(inUnits(baseline), all - inUnits(canary)) };
  return { all, ...of, stable: all - of.canary - of.baseline };
}

/** Whether a rule sends requests to a Service. */
export function leadsTo(rule: RouteRule, service: string, form: RouteForm): boolean {
  return waysOf(rule, form).some((way) => form.serviceOf(way) === service);
}

/**
 * The rules with the Service's requests shared out: its own weight is split, and what goes elsewhere keeps its
 * proportion to the whole. Rules that don't lead to the Service stay as they are.
 */
export function splitRules(
  rules: readonly RouteRule[],
  service: string,
  weights: Weights,
  form: RouteForm,
): readonly RouteRule[] {
  const units = unitsOf(weights);
  if (units.canary === 0 && units.baseline === 0 && form.keepsArms !== true) return rules;
  return plainRules(rules, service, form).map((rule) => {
    if (!leadsTo(rule, service, form)) return rule;
    const ways = waysOf(rule, form).flatMap((way) => {
      const weight = numberAt(way, 'weight') ?? 0;
      if (form.serviceOf(way) !== service) return [{ ...way, weight: weight * units.all }];
      const split = arms
        .filter((arm) => units[arm] > 0 || form.keepsArms === true)
        .map((arm) => toArm(way, arm, service, form, weight * units[arm]));
      return [{ ...way, weight: weight * units.stable }, ...split];
    });
    return { ...rule, [form.field]: ways };
  });
}

/**
 * The rules as they are without the arms. Where they say what `original` said, this is what comes back, to the letter;
 * what others changed meanwhile is kept.
 */
export function withoutArms(
  rules: readonly RouteRule[],
  service: string,
  form: RouteForm,
  original: readonly RouteRule[] = [],
): readonly RouteRule[] {
  if (!rules.some((rule) => arms.some((arm) => leadsTo(rule, armName(service, arm), form)))) return rules;
  const plain = plainRules(rules, service, form);
  return isDeepStrictEqual(plain, plainRules(original, service, form)) ? original : plain;
}

/** Every rule that leads to the Service or its arms with one way for all of them, and with weights said and least. */
function plainRules(rules: readonly RouteRule[], service: string, form: RouteForm): readonly RouteRule[] {
  const own = new Set([service, ...arms.map((arm) => armName(service, arm))]);
  return rules.map((rule) => {
    const ways = waysOf(rule, form);
    if (!ways.some((way) => own.has(form.serviceOf(way) ?? ''))) return rule;
    const merged = new Map<string, { readonly way: Way; weight: number }>();
    for (const way of ways) {
      const plain = own.has(form.serviceOf(way) ?? '') ? form.withService(way, service) : way;
      const weight = numberAt(way, 'weight') ?? form.impliedWeight(ways.length);
      const key = JSON.stringify({ ...plain, weight: 0 });
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { way: plain, weight });
      else known.weight += weight;
    }
    const least = [...merged.values()].map(({ weight }) => weight).reduce(divisor, 0) || 1;
    return {
      ...rule,
      [form.field]: [...merged.values()].map(({ way, weight }) => ({ ...way, weight: weight / least })),
    };
  });
}

/** The largest weight beside its least form, by which a split could exceed what the API takes. */
export function largestWeight(rules: readonly RouteRule[], service: string, form: RouteForm): number {
  const ways = plainRules(rules, service, form)
    .filter((rule) => leadsTo(rule, service, form))
    .flatMap((rule) => waysOf(rule, form));
  return Math.max(0, ...ways.map((way) => numberAt(way, 'weight') ?? 0));
}

export function waysOf(rule: RouteRule, form: RouteForm): readonly Way[] {
  return itemsAt(rule, form.field).filter(isRecord);
}

/** The rules at a place of a route that are objects. */
export function rulesAt(value: unknown, ...path: readonly string[]): readonly RouteRule[] {
  return itemsAt(value, ...path).filter(isRecord);
}

function toArm(way: Way, arm: Arm, service: string, form: RouteForm, weight: number): Way {
  return { ...form.withService(way, armName(service, arm)), weight };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
