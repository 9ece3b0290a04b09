import { type IncomingMessage, type Server, type ServerResponse, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

const refuse = (response: ServerResponse, status: number, code: string, message: string): void => {
  response.setHeader('www-authenticate', 'Basic realm="the guard"');
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errors: [{ code, message }] }));
};

/**
 * A registry that asks who comes: a guard on loopback before the lab's registry, which itself lets everyone in.
 * `ana` may do everything, `ben` only read, and nobody may push to a repository whose name begins with `unknown`.
 */
export class GuardedRegistry {
  readonly password: string;
  /** Lets layers in, but no manifest: what a look before the push cannot see. */
  refuseManifests = false;
  readonly #behind: string;
  readonly #server: Server;

  private constructor(behind: string, password: string) {
    this.#behind = behind;
    this.password = password;
    this.#server = createServer((request, response) => this.#guard(request, response));
  }

  static async start(behind: string, password: string): Promise<GuardedRegistry> {
    const registry = new GuardedRegistry(behind, password);
    await new Promise<void>((resolve) => {
      registry.#server.listen(0, '127.0.0.1', resolve);
    });
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #guard(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    const [, encoded = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? [];
    const [user, password] = Buffer.from(encoded, 'base64').toString().split(':');
    const writes = method !== 'GET' && method !== 'HEAD';
    if (password !== this.password) return refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
    if (writes && url.startsWith('/v2/unknown'))
      return refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known');
    const refused = user !== 'ana' || (this.refuseManifests && method === 'PUT' && url.includes('/manifests/'));
    if (writes && refused) return refuse(response, 403, 'DENIED', 'requested access to the resource is denied');
    // The name that the client used stays in `host`, so that the registry's addresses lead back to here.
    const [hostname, port] = this.#behind.split(':');
    const forwarded = ask({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once('error', () => response.destroy());
    request.pipe(forwarded);
  }
}
