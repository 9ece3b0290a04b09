import { type Server, createServer } from 'node:net';

/** A loopback port free at this moment. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Ports free at this moment on `address`, all different: each is held until the last is known. */
export async function freePorts(count: number, address = '127.0.0.1'): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(async (server) => listen(server, address)));
  await Promise.all(servers.map(async (server) => new Promise((resolve) => void server.close(resolve))));
  return ports;
}

async function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('No free port'));
      else resolve(bound.port);
    });
  });
}
