import { describe, expect, test } from 'vitest';
import { shipmentsAt } from '../src/config.ts';
import { type Shipment, inOrder, readShipments, standingOf } from '../src/shipments.ts';

const today = '2026-11-24';
const shipment = (given: Partial<Shipment>): Shipment => ({
  id: 'LC-1',
  destination: 'Graz',
  state: 'in-transit',
  due: today,
  ...given,
});

describe('a shipment', () => {
  test.each([
    ['that is there is done, late or not', { state: 'delivered', due: '2026-01-01' }, 'done'],
    ['that is due today is on its way', {}, 'on its way'],
    ['that was due yesterday is late', { due: '2026-11-23' }, 'late'],
  ] as const)('%s', (_, given, standing) => {
    expect(standingOf(shipment(given), today)).toBe(standing);
  });
});

test('late shipments come first, and those done last', () => {
  const all = [
    shipment({ id: 'done', state: 'delivered' }),
    shipment({ id: 'later', due: '2026-12-02' }),
    shipment({ id: 'late', due: '2026-11-01' }),
    shipment({ id: 'soon' }),
  ];
  expect(inOrder(all, today).map(({ id }) => id)).toEqual(['late', 'soon', 'later', 'done']);
});

test.each([[{}], [[{ id: 'LC-1' }]], [[{ ...shipment({}), state: 'lost' }]]])('%j is no list of shipments', (value) => {
  expect(() => readShipments(value)).toThrow('holds no shipments');
});

test('the environment says where shipments are asked for', () => {
  expect(shipmentsAt({ SITE: '' })).toBe('./shipments.json');
  expect(shipmentsAt({ SITE: '', API_URL: 'https://api.example.com/' })).toBe('https://api.example.com/shipments');
});
