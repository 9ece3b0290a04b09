import type { Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Control, controlOf } from '../control.ts';
import { freePort } from '../ports.ts';
import { json, serve } from './stand-in.ts';

let server: Server;
let address: string;
let control: Control;
let colour: unknown;

beforeEach(async () => {
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  control = controlOf(address);
  server = serve(port, {
    name: ({ method, url }) => `${method} ${url.pathname}`,
    answer: ({ url }) => {
      if (url.pathname === '/broken') throw new Error('a hole');
      return json(200, 'fine');
    },
    faults: { busy: () => json(429, 'busy') },
    settings: {
      colour: (value) => {
        if (value === 'none') throw new Error('none is no colour');
        colour = value;
      },
    },
  });
});
afterEach(() => void server.close());

async function get(path: string): Promise<number> {
  return fetch(address + path).then(
    ({ status }) => status,
    () => 0,
  );
}

test('the next requests that fit meet the faults, the others none', async () => {
  await control.faults({ kind: 'busy', on: 'GET /a', times: 2 }, { kind: 'reset', on: 'GET /b' });
  expect([await get('/b'), await get('/a'), await get('/c'), await get('/a'), await get('/a')]).toEqual([
    0, 429, 200, 429, 200,
  ]);
  expect(await control.requests()).toMatchObject([
    { name: 'GET /b', status: 0, fault: 'reset' },
    { name: 'GET /a', status: 429, fault: 'busy' },
    { name: 'GET /c', status: 200 },
    { name: 'GET /a' },
    { name: 'GET /a' },
  ]);
  await control.forget();
  expect(await control.requests()).toEqual([]);
});

test('a slow answer takes its time', async () => {
  await control.faults({ kind: 'slow', ms: 300 });
  const began = performance.now();
  expect(await get('/a')).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(290);
});

test('settings are set, and what is wrong with one is told', async () => {
  await control.set('colour', 'red');
  expect(colour).toBe('red');
  await expect(control.set('colour', 'none')).rejects.toThrow('none is no colour');
  await expect(control.set('size', 1)).rejects.toThrow('no setting size');
  await expect(control.faults({ kind: 'flood' })).rejects.toThrow('kinds are busy, reset, slow');
});

test("a fault of the stand-in is never taken for the service's word", async () => {
  const answer = await fetch(`${address}/broken`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).toContain('fault of the lab: Error: a hole');
});
