import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of a {@link serving} server; `'reset'` drops the connection. */
export type Answer = 'reset' | { status: number; body: string | Buffer; headers?: Record<string, string> };

export interface Asked {
  method: string;
  url: string;
  body: string;
}

/**
 * A real loopback server while `use` runs. It gives the answers in turn, the last one again and again, or what the
 * function says for a path; 404 where it says nothing.
 */
export async function serving<T>(
  answers: readonly Answer[] | ((path: string) => Answer | undefined),
  use: (url: string, asked: readonly Asked[]) => Promise<T>,
): Promise<T> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const url = request.url ?? '';
      const answer =
        typeof answers === 'function'
          ? (answers(url) ?? { status: 404, body: '' })
          : answers[Math.min(asked.length, answers.length - 1)];
      asked.push({ method: request.method ?? '', url, body });
      if (answer === undefined || answer === 'reset') return void request.socket.destroy();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
