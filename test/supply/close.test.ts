import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import type { Project } from '../../src/project/project.ts';
import type { SupplyInputs } from '../../src/supply/inputs.ts';
import { openSupply } from '../../src/supply/supply.ts';

test('a database that does not answer holds no build whose checks have failed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const packages = { '': {}, 'node_modules/qs': { version: '6.0.0' } };
  const files: Readonly<Record<string, string>> = {
    'package.json': '{}',
    'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages }),
  };
  const host = {
    env: { OSV_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    log: workflowLog(() => undefined),
    clock: systemClock,
    signal: new AbortController().signal,
  } as unknown as Host;
  const given = { auditLevel: 'high', auditIgnore: [], sbom: false } as unknown as SupplyInputs;
  try {
    const asked = once(server, 'connection') as Promise<[Socket]>;
    const project = { directory: '/', workspace: '/', read: (file: string) => files[file] } as Project;
    const supply = await openSupply(given, { ecosystem: 'npm', name: 'shop' }, project, host);
    const [socket] = await asked;
    const ended = once(socket.resume(), 'close');
    supply.close();
    await expect(Promise.race([ended.then(() => 'ended'), systemClock.sleep(3000)])).resolves.toBe('ended');
    await expect(supply.gate()).rejects.toThrow('aborted');
  } finally {
    server.close();
  }
});
