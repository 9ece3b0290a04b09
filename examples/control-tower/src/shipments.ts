/** The way of a shipment, in its order; tracking-api speaks of the same states. */
export const states = ['registered', 'picked-up', 'in-transit', 'delivered'] as const;

export interface Shipment {
  readonly id: string;
  readonly destination: string;
  readonly state: (typeof states)[number];
  /** Day by which it has to be there, such as `2026-11-26`. */
  readonly due: string;
}

/** How a shipment stands on a day such as `2026-11-24`. */
export type Standing = 'done' | 'on its way' | 'late';

export function standingOf({ state, due }: Shipment, today: string): Standing {
  if (state === 'delivered') return 'done';
  return due < today ? 'late' : 'on its way';
}

/** Late ones first, then by the day they are due; what is done comes last. */
export function inOrder(shipments: readonly Shipment[], today: string): readonly Shipment[] {
  const rank = { late: 0, 'on its way': 1, done: 2 };
  return shipments.toSorted(
    (a, b) => rank[standingOf(a, today)] - rank[standingOf(b, today)] || a.due.localeCompare(b.due),
  );
}

/** Shipments out of what a server answered. @throws Error for anything else */
export function readShipments(value: unknown): readonly Shipment[] {
  if (!Array.isArray(value) || !value.every(isShipment)) throw new Error('the answer holds no shipments');
  return value;
}

function isShipment(value: unknown): value is Shipment {
  if (typeof value !== 'object' || value === null) return false;
  const { id, destination, state, due } = value as Record<string, unknown>;
  return [id, destination, due].every((one) => typeof one === 'string') && states.some((one) => one === state);
}
