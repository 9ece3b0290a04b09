import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

interface Published {
  readonly manifest: Manifest;
  readonly tarball: Buffer;
}

/** One request, with who asked and whether the token was right. */
export interface Asked {
  readonly path: string;
  readonly from: string;
  readonly authorized: boolean;
}

/**
 * A stand-in for a registry of npm packages: it serves what tests publish, packed by npm itself, to those who know the
 * token. Of the registry's interface it has what an install asks for: the packument and the tarball.
 */
export class NpmRegistry {
  readonly asked: Asked[] = [];
  /** What goes wrong with a path: a status, or `cut` for a connection that ends in the middle of the answer. */
  fault: (path: string) => number | 'cut' | undefined = () => undefined;
  readonly #packages = new Map<string, readonly Published[]>();
  readonly #server: Server;
  readonly #token: string | undefined;
  #host = '';

  private constructor(token: string | undefined) {
    this.#token = token;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Serves on a free port of one of this machine's addresses; without a token everyone is served. */
  static async start(address: string, token?: string): Promise<NpmRegistry> {
    const registry = new NpmRegistry(token);
    await new Promise<void>((resolve, reject) => {
      registry.#server.once('error', reject).listen(0, address, resolve);
    });
    registry.#host = `${address}:${(registry.#server.address() as AddressInfo).port}`;
    return registry;
  }

  /** `address:port`. */
  get host(): string {
    return this.#host;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  publish(manifest: Manifest, files: Readonly<Record<string, string>>): void {
    const folder = mkdtempSync(path.join(tmpdir(), 'package-'));
    try {
      for (const [name, content] of Object.entries({ ...files, 'package.json': JSON.stringify(manifest) })) {
        mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
        writeFileSync(path.join(folder, name), content);
      }
      execFileSync('npm', ['pack', '--silent', '--ignore-scripts'], { cwd: folder, env: quietEnv(folder) });
      const packed = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
      const published = { manifest, tarball: readFileSync(path.join(folder, packed)) };
      this.#packages.set(manifest.name, [...(this.#packages.get(manifest.name) ?? []), published]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Serves a package of the registry that this machine uses, as it is. */
  mirror(name: string, version: string): void {
    const folder = mkdtempSync(path.join(tmpdir(), 'package-'));
    try {
      execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder });
      const [file = ''] = readdirSync(folder);
      const tarball = readFileSync(path.join(folder, file));
      const manifest = execFileSync('tar', ['-xOf', file, 'package/package.json'], { cwd: folder, encoding: 'utf8' });
      this.#packages.set(name, [{ manifest: JSON.parse(manifest) as Manifest, tarball }]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent(request.url ?? '').slice(1);
    const authorized = this.#token === undefined || request.headers.authorization === `Bearer ${this.#token}`;
    this.asked.push({ path: url, from: request.socket.remoteAddress ?? '', authorized });
    const [, name = '', rest] = /^((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(url) ?? [];
    const found = this.#packages.get(name);
    if (!authorized) return void response.writeHead(401).end('{"error":"a token is needed"}');
    if (found === undefined) return void response.writeHead(404).end('{"error":"no such package"}');
    const fault = this.fault(url);
    if (typeof fault === 'number') return void response.writeHead(fault).end('{"error":"not today"}');
    const one = found.find(({ manifest }) => rest === fileOf(manifest));
    const body = rest === undefined ? JSON.stringify(this.#packument(name, found)) : (one?.tarball ?? '');
    const type = rest === undefined ? 'application/json' : 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    if (fault !== 'cut') return void response.end(body);
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  }

  #packument(name: string, published: readonly Published[]): object {
    const versions = published.map(({ manifest, tarball }) => {
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
      const dist = { tarball: `http://${this.#host}/${name}/-/${fileOf(manifest)}`, integrity };
      return [manifest.version, { ...manifest, dist }] as const;
    });
    const latest = published.at(-1)?.manifest.version;
    return { name, 'dist-tags': { latest }, versions: Object.fromEntries(versions) };
  }
}

function fileOf({ name, version }: Manifest): string {
  return `${name.split('/').at(-1)}-${version}.tgz`;
}

/** npm without this machine's settings and cache. */
export function quietEnv(home: string, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '', HOME: home, npm_config_update_notifier: 'false', ...more };
}
