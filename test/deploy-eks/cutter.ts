import { type IncomingMessage, createServer } from 'node:http';
import { type Socket, connect } from 'node:net';
import type { AddressInfo } from 'node:net';

/** An HTTP proxy for TLS connections, on loopback, that breaks each off after a while. */
export interface Cutter {
  /** For HTTPS_PROXY. */
  readonly address: string;
  /** Connections broken off so far. */
  cut(): number;
  close(): Promise<void>;
}

/** @param after milliseconds that a connection lasts */
export async function openCutter(after: number): Promise<Cutter> {
  let cut = 0;
  const open = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => client.write('HTTP/1.1 200 Connection Established\r\n\r\n'));
    client.pipe(upstream).pipe(client);
    const end = setTimeout(() => {
      cut += 1;
      client.destroy();
    }, after);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        clearTimeout(end);
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => cut,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
