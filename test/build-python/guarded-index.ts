import { type Server, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request, with who asked and whether the credentials were right. */
export interface Asked {
  readonly path: string;
  readonly from: string;
  readonly authorized: boolean;
}

/** A private index of packages: it hands on to the lab's what comes with the right user and password. */
export class GuardedIndex {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  #host = '';

  private constructor(upstream: string, user: string, password: string) {
    const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    this.#server = createServer((incoming, answer) => {
      const { headers, url = '/', method = 'GET', socket } = incoming;
      const authorized = headers.authorization === wanted;
      this.asked.push({ path: url, from: socket.remoteAddress ?? '', authorized });
      if (!authorized) {
        answer.writeHead(401, { 'www-authenticate': 'Basic realm="packages"' }).end('who is asking?');
        return;
      }
      const onward = ask(new URL(url, upstream), { method, headers: { ...headers, authorization: '' } }, (came) => {
        answer.writeHead(came.statusCode ?? 502, came.headers);
        came.pipe(answer);
      });
      onward.on('error', () => answer.writeHead(502).end());
      onward.end();
    });
  }

  /** Serves on a free port of one of this machine's addresses. */
  static async start(address: string, upstream: string, user: string, password: string): Promise<GuardedIndex> {
    const index = new GuardedIndex(upstream, user, password);
    await new Promise<void>((resolve, reject) => {
      index.#server.once('error', reject).listen(0, address, resolve);
    });
    index.#host = `${address}:${(index.#server.address() as AddressInfo).port}`;
    return index;
  }

  /** `address:port`. */
  get host(): string {
    return this.#host;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}
