const STATES = ['registered', 'picked-up', 'in-transit', 'delivered'];

/** A request that cannot be done, with the HTTP status that says so. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Shipments and their events, in memory; the oldest goes when `limit` is reached. */
export function createShipments({ limit = 10_000, now = () => new Date() } = {}) {
  const all = new Map();
  return {
    get size() {
      return all.size;
    },
    register({ id, destination } = {}) {
      if (typeof id !== 'string' || !/^[A-Z0-9-]{4,32}$/.test(id)) {
        throw new Refused(400, 'id must be 4 to 32 capital letters, digits or -');
      }
      if (typeof destination !== 'string' || destination.length < 1 || destination.length > 100) {
        throw new Refused(400, 'destination must have 1 to 100 characters');
      }
      if (all.has(id)) throw new Refused(409, `shipment ${id} is already registered`);
      if (all.size >= limit) all.delete(all.keys().next().value);
      const shipment = {
        id,
        destination,
        state: 'registered',
        events: [{ state: 'registered', at: now().toISOString() }],
      };
      all.set(id, shipment);
      return shipment;
    },
    find(id) {
      const shipment = all.get(id);
      if (!shipment) throw new Refused(404, 'no such shipment');
      return shipment;
    },
    advance(id, { state } = {}) {
      const shipment = this.find(id);
      const next = STATES[STATES.indexOf(shipment.state) + 1];
      if (state !== next)
        throw new Refused(409, next ? `only ${next} may follow ${shipment.state}` : 'already delivered');
      shipment.state = state;
      shipment.events.push({ state, at: now().toISOString() });
      return shipment;
    },
  };
}
